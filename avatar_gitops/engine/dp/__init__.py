"""Differential privacy: releases whose every look at the data is a measurement of OpenDP under one accountant."""
