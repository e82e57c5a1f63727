"""Runs inside an environment of its own with the unmodified official client; downloads both reports in both languages.

Arguments: base URL, API key, CSV file, working folder. Nothing here may depend on this repository.
"""

# mypy: ignore-errors
import os
import sys

from avatar_yaml.models.avatar_metadata import DataRecipient, DataSubject, DataType, SensitivityLevel
from avatar_yaml.models.parameters import ReportLanguage, ReportType
from avatars.manager import Manager

BASE_URL, API_KEY, TABLE, FOLDER = sys.argv[1:5]
os.chdir(FOLDER)

manager = Manager(base_url=BASE_URL, api_key=API_KEY)
for language in (ReportLanguage.EN, ReportLanguage.FR):
    runner = manager.create_runner(
        f"reports_{language.value}",
        seed=7,
        pia_data_recipient=DataRecipient.OPENDATA,
        pia_data_type=DataType.HEALTH,
        pia_data_subject=DataSubject.PATIENTS,
        pia_sensitivity_level=SensitivityLevel.HIGH,
        report_language=language,
    )
    runner.add_table("wbcd", TABLE)
    runner.set_parameters("wbcd", k=10, ncp=4)
    runner.run()
    runner.download_report(f"technical.{language.value}.pdf")
    runner.download_report(f"pia.{language.value}.docx", report_type=ReportType.PIA)
