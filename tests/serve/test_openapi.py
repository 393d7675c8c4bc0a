"""The API keeps to what its OpenAPI description says, whatever it is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import schemathesis
from fastapi.testclient import TestClient
from hydra import compose, initialize_config_dir
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from actrec.config import config_dir
from actrec.serve.setup import make_app

NO_CONTENT = [
    positive_data_acceptance
]  # a description cannot say which bytes are a video, or which clips show a person


def test_every_operation_is_as_described(noise_model: Path, test_data: Path) -> None:
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        pose = test_data / "models/yolov8n-pose_int8_openvino_model"
        cfg = compose("serve", [f"model={noise_model}", f"pose={pose}"])
    app = make_app(cfg)
    with TestClient(app):
        operations = [each.ok() for each in schemathesis.openapi.from_asgi("/openapi.json", app).get_all_operations()]
        assert len(operations) == 9
        for operation in operations:

            @settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
            @given(case=operation.as_strategy())
            def check(case: Any) -> None:
                case.call_and_validate(
                    excluded_checks=NO_CONTENT if case.path in ("/v1/predict", "/v1/enrolled") else []
                )

            check()
