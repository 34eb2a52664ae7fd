"""How LightGBM is set: the same for the reference in a leaderboard and for the trees that teach."""

from __future__ import annotations

from typing import Any

ROUNDS, PATIENCE = 2000, 50  # boosting rounds at most, and without a gain
SETTINGS: dict[str, Any] = {
    "objective": "binary",
    "metric": "None",  # ours, of the logits
    "learning_rate": 0.05,
    "num_leaves": 63,
    "min_data_in_leaf": 100,
    "lambda_l2": 1.0,
    "feature_fraction": 0.8,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "deterministic": True,
    "force_col_wise": True,  # else it is chosen by timing, and sums differ
    "verbosity": -1,
}
UNINSTALLED = "distillation needs LightGBM, which is not installed."
INSTALL = "pip install 'automlrank[lightgbm]', or leave distillation at 0."


def installed() -> bool:
    """Whether LightGBM can be imported: its library may lack another that it is linked with."""
    try:
        import lightgbm  # noqa: F401
    except (ImportError, OSError):
        return False
    return True
