"""What one file may cost: the bounds that every run of ffmpeg keeps to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds for one source; those on time grow with the length of the sound.

    A slow machine must not fail an honest file, so the time bounds are many times what a track costs; they
    are there for the file that was made to hang or to explode.
    """

    cpu_s: float = 120.0
    cpu_s_per_sound_s: float = 2.0
    wall_s: float = 180.0
    wall_s_per_sound_s: float = 4.0
    memory_bytes: int = 4 * 1024**3
    output_bytes: int = 16 * 1024**3
    max_duration_s: float = 6 * 3600.0
    max_channels: int = 8
    min_sample_rate_hz: int = 8_000
    max_sample_rate_hz: int = 768_000

    def cpu_for(self, sound_s: float) -> int:
        """Seconds of processor time that a run over *sound_s* of sound may use."""
        return round(self.cpu_s + self.cpu_s_per_sound_s * sound_s) or 1

    def wall_for(self, sound_s: float) -> float:
        """Seconds on the clock that a run over *sound_s* of sound may take."""
        return self.wall_s + self.wall_s_per_sound_s * sound_s


DEFAULT_LIMITS = Limits()
