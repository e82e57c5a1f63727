"""Privacy impact assessment and technical report: risk derivation and documents, shared by server and command line."""
