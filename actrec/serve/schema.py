"""Describes the answers of the API for OpenAPI; `actrec.live.answers` makes those of frames."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class Failure(BaseModel):
    """The reason why a request was refused."""

    error: str


class WindowInfo(BaseModel):
    """The window of frames from which the model predicts."""

    rule: str = Field(description="Rule by which training clips were cut: anchored, sliding or resize.")
    length: int = Field(description="Number of frames at the model's rate.", examples=[64])


class ModelInfo(BaseModel):
    """The model that is served."""

    id: str = Field(
        description="Hash of weights and configuration, the same on every server.", examples=["8f1c0d2e5b7a9342"]
    )
    labels: list[str] = Field(description="The classes, in the order of `probabilities`; the enrolled ones come last.")
    enrolled: list[str] = Field(description="Those of the classes that were enrolled, see /v1/enrolled.")
    can_enroll: bool = Field(description="Whether classes can be added.")
    skeleton: str = Field(description="Joint layout of the keypoints that clients send.", examples=["coco17"])
    joints: list[str] = Field(description="Names of its joints, in the order of the keypoints.")
    n_joints: int = Field(description="Number of joints.", examples=[17])
    n_coordinates: int = Field(
        description="Coordinates of a joint. 2: keypoints are x and y in pixels, and confidence; 3: x, y and z in any "
        "unit of length, and confidence.",
        examples=[2],
    )
    bones: list[list[int]] = Field(description="Bones, as pairs of numbers of joints.")
    forecast_joints: list[str] = Field(description="Names of the joints of forecasts, in the model's own layout.")
    forecast_bones: list[list[int]] = Field(description="Bones, as pairs of numbers of joints.")
    fps: float | None = Field(
        description="Frame rate of the model; others repeat the last prediction. null: the client's rate."
    )
    training_fps: float = Field(description="Median frame rate of the training clips.")
    window: WindowInfo
    takes_pictures: bool = Field(description="Whether the server has a pose model.")
    warnings: list[str] = Field(description="Differences of streams from the training data, and what to do.")
    metrics: dict[str, Any] = Field(description="Metrics on the test split.")
    card: str = Field(description="The model card, in Markdown.")


class SetInfo(BaseModel):
    """A set: the time in which a person does one action, with short pauses."""

    label: str = Field(examples=["squat"])
    start: float = Field(description="Time of its first frame, in seconds.", examples=[12.0])
    end: float = Field(description="Time of its last frame until now, in seconds.", examples=[41.2])
    repetitions: int | None = Field(description="Complete repetitions; null: not counted.", examples=[11])
    mean_probability: float = Field(description="Mean probability of its label.", examples=[0.93])


class PersonSetInfo(SetInfo):
    """A set, and the person who did it."""

    person: str = Field(examples=["1"])


class Person(BaseModel):
    """The prediction for one person in a frame."""

    person: str = Field(examples=["1"])
    label: str = Field(description="The most probable class.", examples=["squat"])
    probability: float = Field(description="Probability of that class.", examples=[0.91])
    held: str | None = Field(
        description="Class after hysteresis, which changes only after several frames of another class; null: no action."
    )
    probabilities: list[float] = Field(
        description="Probability of each class, in the order of the model's labels.", examples=[[0.91, 0.06, 0.03]]
    )
    n_frames: int = Field(description="Frames of the person so far, at the model's rate.", examples=[12])
    action: float = Field(
        description="Probability that this is any of the model's actions; for a model without the class none, the "
        "greatest of `probabilities`.",
        examples=[0.95],
    )
    phase: float | None = Field(
        description="Phase within a repetition in [0, 2π): 0 at its beginning, π at its turn; null: the model has none."
    )
    repetitions: int | None = Field(
        description="Complete repetitions of `set`; null: they are not counted.", examples=[7]
    )
    set: SetInfo | None = Field(description="The present set until now, or the last one; null before the first.")
    forecast: list[list[float] | None] | None = Field(
        None,
        description="Forecast pose, the model's horizon ahead: x and y of each joint of its layout, in pixels; of a "
        "model of three dimensions x, y and z, in the unit of the keypoints.",
    )
    box: list[float] | None = Field(None, description="Left, top, right, bottom, in pixels; only if pictures are sent.")
    keypoints: list[list[float]] | None = Field(
        None, description="x, y and confidence of each joint; only where pictures are sent."
    )


class FrameAnswer(BaseModel):
    """The answer to a frame of a video: a line of /v1/predict."""

    frame: int = Field(examples=[31])
    timestamp: float = Field(description="In seconds.", examples=[1.033333])
    people: list[Person]
    sets: list[PersonSetInfo] | None = Field(
        None, description="All sets of the video in the order in which they began; in the last line only."
    )


class ClipFrame(BaseModel):
    """A frame of a recorded clip."""

    timestamp: float = Field(description="In seconds; later than that of the frame before.", examples=[0.033])
    keypoints: list[list[float]] | None = Field(
        None, description="x and y in pixels, and confidence, of each joint of `skeleton`; null where nobody is seen."
    )


class NewClass(BaseModel):
    """A class to be enrolled."""

    label: str = Field(description="Its name, which no class has.", min_length=1, max_length=200, examples=["wave"])
    clips: list[list[ClipFrame]] = Field(
        description="Clips, each of which shows the action from its beginning to its end, once or several times.",
        min_length=1,
        max_length=10,
    )


class AddedClass(BaseModel):
    """A class that was enrolled, and what was found about it."""

    label: str = Field(examples=["wave"])
    clips: int = Field(description="Number of its clips.", examples=[3])
    seconds: float = Field(description="Their usual length.", examples=[1.9])
    similarity: float | None = Field(
        description="Mean similarity of a clip to the other clips, at most 1; null for one clip alone."
    )
    others: float = Field(description="Similarity that 99 % of the moments of other motions do not reach.")
    warning: str | None = Field(description="What will not be recognised safely.")
    labels: list[str] = Field(description="All classes, for streams that begin from now on.")


class EnrolledClasses(BaseModel):
    """The classes that were enrolled."""

    enrolled: list[str] = Field(examples=[["wave"]])
    labels: list[str] = Field(description="All classes, for streams that begin from now on.")


class SavedClasses(BaseModel):
    """Where the enrolled classes are kept."""

    folder: str = Field(description="The model folder, on the server.")
