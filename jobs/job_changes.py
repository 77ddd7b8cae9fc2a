"""What an upgrade changes for those who read the results: time frames and indicators added, removed, or computed otherwise."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from jobs.config import Config
from jobs.flink_settings import INDICATORS, MADE_WITH, TIME_FRAMES, job_parameters
from jobs.state_settings import MadeWith, counting_changed, what_it_means


@dataclass(frozen=True, slots=True)
class Configured:
    """What a job computes: time frames, label -> spec of each indicator, and the settings its state is made with."""

    time_frames: tuple[str, ...]
    indicators: Mapping[str, str]
    made_with: MadeWith = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changes:
    """From one job to the next. An indicator whose spec changed begins anew under its old label."""

    frames_added: tuple[str, ...]
    frames_removed: tuple[str, ...]
    indicators_added: tuple[str, ...]
    indicators_removed: tuple[str, ...]
    indicators_changed: tuple[str, ...]
    counting_changed: tuple[str, ...] = ()
    """Keys by which ticks count or not."""

    def lines(self) -> list[str]:
        """For people: a line a kind of change."""
        named = {
            "time frames added": self.frames_added,
            "time frames removed": self.frames_removed,
            "indicators added": self.indicators_added,
            "indicators removed": self.indicators_removed,
            "indicators changed": self.indicators_changed,
        }
        said = [f"{what}: {', '.join(names)}" for what, names in named.items() if names]
        if self.counting_changed:
            said.append(what_it_means(self.counting_changed))
        return said or ["the same time frames and indicators"]


def configured(config: Config) -> Configured:
    """What the job of `config` computes."""
    return read_parameters(job_parameters(config)) or Configured((), {})


def read_parameters(parameters: Mapping[str, str]) -> Configured | None:
    """What a running job says it computes; None for a job that does not say."""
    if TIME_FRAMES not in parameters or INDICATORS not in parameters:
        return None
    made_with = json.loads(parameters.get(MADE_WITH, "{}"))
    return Configured(tuple(json.loads(parameters[TIME_FRAMES])), json.loads(parameters[INDICATORS]), made_with)


def changes(parameters: Mapping[str, str], after: Configured) -> Changes:
    """From the job that has `parameters` to `after`; none for a job that does not say what it computes."""
    before = read_parameters(parameters) or after
    return Changes(
        tuple(frame for frame in after.time_frames if frame not in before.time_frames),
        tuple(frame for frame in before.time_frames if frame not in after.time_frames),
        tuple(label for label in after.indicators if label not in before.indicators),
        tuple(label for label in before.indicators if label not in after.indicators),
        tuple(label for label, spec in after.indicators.items() if before.indicators.get(label, spec) != spec),
        counting_changed(before.made_with, after.made_with),
    )
