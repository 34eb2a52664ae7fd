"""Architectures: points of a space, in canonical form.

``draw(space, decide)`` is the whole interface between a space and a search algorithm:
``decide(path, domain)`` gives a value of the domain for the name ``path``.
"""

from automlrank.architecture.architecture import INHERITED as INHERITED
from automlrank.architecture.architecture import Architecture as Architecture
from automlrank.architecture.architecture import draw as draw
from automlrank.architecture.architecture import only_point as only_point
from automlrank.architecture.drawing import Decide as Decide
from automlrank.architecture.parts import NONE as NONE
from automlrank.architecture.parts import ParallelPart as ParallelPart
from automlrank.architecture.parts import Part as Part
from automlrank.architecture.parts import ScopedPart as ScopedPart
from automlrank.architecture.parts import StackPart as StackPart
from automlrank.architecture.parts import blocks_of as blocks_of
from automlrank.architecture.parts import gives_vector as gives_vector
from automlrank.architecture.parts import readers as readers
from automlrank.architecture.parts import readings as readings
