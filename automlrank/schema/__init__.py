"""What the columns of a table are: tasks, features, crosses, scenario, group, time, split.

A schema is frozen and holds no tensor. ``read_schema`` reads it from YAML (or from the same
words as a dict), ``Schema.to_data`` gives them back. Column sizes are known once an encoder was
fitted: ``Schema.fitted`` puts them in, and only then can a model be built from it.
"""

from automlrank.schema.columns import NO_STATISTICS as NO_STATISTICS
from automlrank.schema.columns import Categorical as Categorical
from automlrank.schema.columns import Feature as Feature
from automlrank.schema.columns import History as History
from automlrank.schema.columns import Multi as Multi
from automlrank.schema.columns import Numeric as Numeric
from automlrank.schema.columns import Split as Split
from automlrank.schema.columns import Statistics as Statistics
from automlrank.schema.columns import Task as Task
from automlrank.schema.columns import Vector as Vector
from automlrank.schema.reader import read_schema as read_schema
from automlrank.schema.value import Schema as Schema
