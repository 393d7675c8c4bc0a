"""What the API answers, as OpenAPI describes it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class Failure(BaseModel):
    """Why a request was refused."""

    error: str


class ModelInfo(BaseModel):
    """The model that is served.

    Attributes:
        labels: Of the probabilities, in their order.
        skeleton: That keypoints are of.
        bones: Pairs of joints of that skeleton.
        forecast_bones: Pairs of joints of the model's skeleton, which forecasts are of.
        fps: At which the model looks at frames; those between are answered from the last. None is the clients'.
        takes_pictures: Whether there is a pose model.
        metrics: Of the test split.
        card: The model's README, in Markdown.
    """

    labels: list[str]
    skeleton: str
    bones: list[list[int]]
    forecast_bones: list[list[int]]
    fps: float | None
    takes_pictures: bool
    metrics: dict[str, Any]
    card: str


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
