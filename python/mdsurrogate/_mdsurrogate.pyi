import pathlib
from os import PathLike
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__version__: str
Path = str | PathLike[str]
Quantity = float | str
Stride = int | str

class UsageError(ValueError):
    hint: str
    exit_code: int

class InputError(ValueError):
    hint: str
    exit_code: int
    file: pathlib.Path | None
    line: int | None
    frame: int | None
    atom: str | None

class OutputError(OSError):
    hint: str
    exit_code: int

class GuardError(RuntimeError):
    hint: str
    exit_code: int
    step: int

class DeviceError(RuntimeError):
    hint: str
    exit_code: int

class Interrupted(Exception):
    hint: str
    exit_code: int
    step: int

class Structure:
    def __init__(
        self,
        file: Path,
        *,
        fix: bool = False,
        his: Literal["hid", "hie", "hip"] = "hie",
        chains: list[str] | None = None,
        model_number: int | None = None,
    ) -> None: ...
    def __len__(self) -> int: ...
    @property
    def positions(self) -> NDArray[np.float64]: ...
    @property
    def names(self) -> list[str]: ...
    @property
    def elements(self) -> list[str]: ...
    @property
    def masses(self) -> NDArray[np.float64]: ...
    @property
    def residue_indices(self) -> list[int]: ...
    @property
    def residue_names(self) -> list[str]: ...
    @property
    def residue_numbers(self) -> list[int]: ...
    @property
    def chains(self) -> list[str]: ...
    @property
    def bonds(self) -> NDArray[np.int64]: ...
    @property
    def sequence(self) -> str: ...
    @property
    def warnings(self) -> list[str]: ...
    @property
    def notes(self) -> list[str]: ...
    @property
    def heavy_atoms(self) -> NDArray[np.int64]: ...
    def write_pdb(self, file: Path, positions: NDArray[np.float64] | None = None) -> None: ...

class Energy:
    def __init__(
        self, structure: Structure, *, precision: Literal["f32", "f64"] = "f64"
    ) -> None: ...
    def evaluate(
        self, positions: NDArray[np.float64] | None = None
    ) -> tuple[dict[str, float], NDArray[np.float64]]: ...
    def minimize(
        self,
        positions: NDArray[np.float64] | None = None,
        *,
        tolerance: float = 0.5,
        steps: int = 2000,
    ) -> tuple[NDArray[np.float64], float]: ...

class Model:
    def __init__(self, file: Path | None = None) -> None: ...
    def __fspath__(self) -> str: ...
    @property
    def file(self) -> pathlib.Path | None: ...
    @property
    def task(self) -> Literal["jump", "next-frame", "force"]: ...
    @property
    def architecture(self) -> str: ...
    @property
    def network(self) -> str: ...
    @property
    def parameters(self) -> int: ...
    @property
    def tokens(self) -> str: ...
    @property
    def lags(self) -> tuple[float, float] | None: ...
    @property
    def lag(self) -> float | None: ...
    @property
    def usual_lags(self) -> list[tuple[float, int, int]]: ...
    @property
    def validated(self) -> list[tuple[float, int]]: ...
    @property
    def temperature(self) -> float | None: ...
    @property
    def trained_on(self) -> str: ...
    @property
    def sequences(self) -> dict[str, str]: ...
    @property
    def sha256(self) -> str: ...
    @property
    def header(self) -> dict[str, Any]: ...

class ModelForces:
    def __init__(
        self,
        structure: Structure,
        model: Path | Model,
        *,
        backend: Literal["auto", "gpu", "cpu"] = "auto",
    ) -> None: ...
    def __len__(self) -> int: ...
    @property
    def atoms(self) -> NDArray[np.int64]: ...
    @property
    def masses(self) -> NDArray[np.float64]: ...
    @property
    def conservative(self) -> bool: ...
    def evaluate(
        self, positions: NDArray[np.float64] | None = None
    ) -> tuple[float | None, NDArray[np.float64]]: ...

class Simulation:
    def __init__(
        self,
        protein: Path | Structure,
        model: Path | Model | None = None,
        *,
        backend: Literal["auto", "gpu", "cpu"] = "auto",
        replicas: int = 1,
        replica: int | None = None,
        seed: int = 1,
        threads: int | None = None,
        lag: Quantity | None = None,
        relax: int | None = None,
        cutoff: Quantity | None = None,
        levels: int | None = None,
        method: Literal["euler", "heun", "multistep"] | None = None,
        fold: str = "auto",
        fold_strength: float | None = None,
        stir: float | None = None,
        equilibrate: Quantity | None = None,
        ensemble: Literal["langevin", "csvr", "nve"] | None = None,
        temperature: Quantity | None = None,
        friction: Quantity | None = None,
        relaxation: Quantity | None = None,
        dt: Quantity | None = None,
        as_is: bool = False,
        fix: bool = False,
        his: Literal["hid", "hie", "hip"] = "hie",
        guard: Literal["abort", "rollback", "redraw", "warn"] | None = None,
    ) -> None: ...
    @property
    def structure(self) -> Structure: ...
    @property
    def words(self) -> list[str]: ...
    @property
    def time_step(self) -> float: ...
    @property
    def replicas(self) -> int: ...
    @property
    def step(self) -> int: ...
    @property
    def time(self) -> float: ...
    @property
    def positions(self) -> NDArray[np.float64]: ...
    def advance(self, steps: int = 1) -> None: ...
    def run(
        self,
        output: Path,
        steps: Stride,
        *,
        traj_every: Stride | None = None,
        log_every: Stride | None = None,
        traj_format: Literal["xtc", "dcd", "pdb"] = "xtc",
        overwrite: bool = False,
        fresh: bool = False,
        quiet: bool = False,
    ) -> None: ...

def reference(
    protein: Path,
    output: Path,
    time: Stride,
    *,
    temperature: Quantity | None = None,
    dt: Quantity | None = None,
    hold_hydrogens: bool = False,
    heat: Quantity | None = None,
    traj_every: Stride | None = None,
    replicas: int = 1,
    seed: int = 1,
    threads: int | None = None,
    fix: bool = False,
    his: Literal["hid", "hie", "hip"] = "hie",
    overwrite: bool = False,
    fresh: bool = False,
    quiet: bool = False,
) -> None: ...
def finetune_model(
    protein: Path,
    output: Path | None,
    model: Path | Model | None,
    time: Quantity,
    minutes: float,
    temperature: Quantity,
    backend: Literal["auto", "gpu", "cpu"],
    threads: int | None,
    seed: int,
    fix: bool,
    his: Literal["hid", "hie", "hip"],
    overwrite: bool,
    quiet: bool,
) -> tuple[pathlib.Path, str, str]: ...
def analyze_run(
    run: list[Path],
    top: Path | None,
    skip: str,
    stride: int,
    time_step: Quantity | None,
    lag: Quantity | None,
    cutoff: Quantity | None,
    report: Path | None,
    overwrite: bool,
    viewer: Path | None,
) -> dict[str, object]: ...
def compare_runs(
    run: list[Path],
    reference: list[Path],
    top: Path | None,
    reference_top: Path | None,
    time_step: Quantity | None,
    reference_time_step: Quantity | None,
    lag: Quantity | None,
    report: Path | None,
    overwrite: bool,
    viewer: Path | None,
) -> tuple[str, list[pathlib.Path]]: ...
def devices() -> list[str]: ...
def main(words: list[str]) -> int: ...
