"""The answers of the API, as OpenAPI describes them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class Failure(BaseModel):
    """Why a request was refused."""

    error: str


class WindowInfo(BaseModel):
    """The window of frames on which the model decides."""

    rule: str = Field(description="How its training clips were cut: anchored, sliding or resize.")
    length: int = Field(description="Frames at the model's rate.", examples=[64])


class ModelInfo(BaseModel):
    """The model that is served."""

    id: str = Field(
        description="The same for the same weights and configuration, wherever they are served.",
        examples=["8f1c0d2e5b7a9342"],
    )
    labels: list[str] = Field(description="The classes, in the order of probabilities.")
    skeleton: str = Field(description="The joint layout of keypoints that clients send.", examples=["coco17"])
    joints: list[str] = Field(description="The names of its joints, in the order of keypoints.")
    n_joints: int = Field(description="Number of joints.", examples=[17])
    bones: list[list[int]] = Field(description="Pairs of those joints.")
    forecast_joints: list[str] = Field(description="The joints of forecasts: of the model's own layout.")
    forecast_bones: list[list[int]] = Field(description="Pairs of those joints.")
    fps: float | None = Field(
        description="Frames a second at which the model works; frames in between get the last prediction. null: the "
        "client's rate."
    )
    training_fps: float = Field(description="Median frames a second of its training clips.")
    window: WindowInfo
    takes_pictures: bool = Field(description="Whether there is a pose model.")
    warnings: list[str] = Field(description="How streams differ from what the model was trained on, and what to do.")
    metrics: dict[str, Any] = Field(description="Metrics on the test split.")
    card: str = Field(description="The model's README, in Markdown.")


class Person(BaseModel):
    """What one person does in a frame."""

    person: str = Field(examples=["1"])
    label: str = Field(description="The most probable.", examples=["squat"])
    probability: float = Field(description="Of that label.", examples=[0.91])
    held: str | None = Field(description="The label that is shown: it changes only after several frames of another.")
    probabilities: list[float] = Field(description="In the order of the model's labels.", examples=[[0.91, 0.06, 0.03]])
    n_frames: int = Field(description="Frames of the person that the model has seen.", examples=[12])
    forecast: list[list[float] | None] | None = Field(
        None, description="The pose that is expected a few frames on: x and y of each joint of the model's, in pixels."
    )
    box: list[float] | None = Field(None, description="Left, top, right, bottom, in pixels; of pictures.")
    keypoints: list[list[float]] | None = Field(None, description="x, y and confidence of each joint; of pictures.")


class FrameAnswer(BaseModel):
    """A line of /v1/predict."""

    frame: int = Field(examples=[31])
    timestamp: float = Field(description="In seconds.", examples=[1.033333])
    people: list[Person]
