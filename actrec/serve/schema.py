"""What the API answers, as OpenAPI describes it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class Failure(BaseModel):
    """Why a request was refused."""

    error: str


class WindowInfo(BaseModel):
    """How many frames the model decides by."""

    rule: str = Field(description="That its training clips were cut by: anchored, sliding or resize.")
    length: int = Field(description="In frames at the model's rate.", examples=[64])


class ModelInfo(BaseModel):
    """The model that is served."""

    id: str = Field(
        description="The same for the same weights and configuration, wherever they are served.",
        examples=["8f1c0d2e5b7a9342"],
    )
    labels: list[str] = Field(description="Of the probabilities, in their order.")
    skeleton: str = Field(description="The joint layout of keypoints that clients send.", examples=["coco17"])
    joints: list[str] = Field(description="The names of its joints, in the order of keypoints.")
    n_joints: int = Field(description="How many they are.", examples=[17])
    bones: list[list[int]] = Field(description="Pairs of those joints.")
    forecast_joints: list[str] = Field(description="The joints of forecasts: of the model's own layout.")
    forecast_bones: list[list[int]] = Field(description="Pairs of those joints.")
    fps: float | None = Field(
        description="Frames a second at which the model looks; those between are answered from the last. null is the "
        "rate at which the client sends."
    )
    training_fps: float = Field(description="Frames a second of the clips that it was trained on, their median.")
    window: WindowInfo
    takes_pictures: bool = Field(description="Whether there is a pose model.")
    warnings: list[str] = Field(description="In what a stream is not what the model was trained on, and what to do.")
    metrics: dict[str, Any] = Field(description="Of the test split.")
    card: str = Field(description="The model's README, in Markdown.")


class Person(BaseModel):
    """What one person does in a frame."""

    person: str = Field(examples=["1"])
    label: str = Field(description="The most probable.", examples=["squat"])
    probability: float = Field(description="Of that label.", examples=[0.91])
    held: str | None = Field(description="The label that is shown: it changes only after several frames of another.")
    probabilities: list[float] = Field(description="In the order of the model's labels.", examples=[[0.91, 0.06, 0.03]])
    n_frames: int = Field(description="That the model has seen of the person.", examples=[12])
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
