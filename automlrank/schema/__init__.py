"""The schema of a table: tasks, features, crosses, scenario, group, time, split.

A schema is frozen and holds no tensor. ``read_schema`` reads it from YAML (or from the same
words as a dict), ``Schema.to_data`` gives them back. Column sizes are known once an encoder was
fitted: ``Schema.fitted`` puts them in, and only then can a model be built from it.
"""

from automlrank.schema.columns import NO_STATISTICS as NO_STATISTICS
from automlrank.schema.columns import CategoricalFeature as CategoricalFeature
from automlrank.schema.columns import Feature as Feature
from automlrank.schema.columns import HistoryFeature as HistoryFeature
from automlrank.schema.columns import MultiFeature as MultiFeature
from automlrank.schema.columns import Nulls as Nulls
from automlrank.schema.columns import NumericFeature as NumericFeature
from automlrank.schema.columns import Split as Split
from automlrank.schema.columns import TargetStatistics as TargetStatistics
from automlrank.schema.columns import Task as Task
from automlrank.schema.columns import VectorFeature as VectorFeature
from automlrank.schema.reader import read_schema as read_schema
from automlrank.schema.schema import Schema as Schema
