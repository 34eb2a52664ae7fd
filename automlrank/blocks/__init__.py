"""Every block by name: ``BLOCKS["fm"]``, ``BLOCKS.of("gate")``.

Most families are stages of a model; ``stages`` lists them with their input and output. The other
families are ``merge`` (the vectors of parallel branches become one), ``optimizer`` (trains the
parameters that a block sets apart), ``embedding`` (ids and numbers become fields) and ``training``.

To add a block: write its module and its declaration in one file of its family's folder (see
``base``), add one line here, a reference test of its formula, and run ``python docs/tables.py``.
Spaces, checks, search, export and the laws of ``automlrank.testing`` find it by its name. A test
requires that a shipped space offers it. ``entry_points`` loads blocks of other packages.
"""

from automlrank.blocks.balance.fixed import Fixed as Fixed
from automlrank.blocks.balance.gradnorm import GradientNorm as GradientNorm
from automlrank.blocks.balance.loss_scale import RunningScale as RunningScale
from automlrank.blocks.balance.pareto import Pareto as Pareto
from automlrank.blocks.balance.uncertainty import UncertaintyWeights as UncertaintyWeights
from automlrank.blocks.base import BLOCKS as BLOCKS
from automlrank.blocks.embedding import Embedding as Embedding
from automlrank.blocks.gate.epnet import EpNet as EpNet
from automlrank.blocks.gate.field_gate import FieldGate as FieldGate
from automlrank.blocks.gate.senet import SeNet as SeNet
from automlrank.blocks.history.bst import Bst as Bst
from automlrank.blocks.history.can import Can as Can
from automlrank.blocks.history.dien import Dien as Dien
from automlrank.blocks.history.din import Din as Din
from automlrank.blocks.history.dsin import Dsin as Dsin
from automlrank.blocks.history.mean_pool import MeanPooling as MeanPooling
from automlrank.blocks.history.sum_pool import SumPooling as SumPooling
from automlrank.blocks.history.target_attention import TargetAttention as TargetAttention
from automlrank.blocks.interaction.afm import Afm as Afm
from automlrank.blocks.interaction.autoint import AutoInt as AutoInt
from automlrank.blocks.interaction.bilinear import BilinearInteraction as BilinearInteraction
from automlrank.blocks.interaction.bridge import BridgeNet as BridgeNet
from automlrank.blocks.interaction.cin import Cin as Cin
from automlrank.blocks.interaction.cross_net import CrossNet as CrossNet
from automlrank.blocks.interaction.cross_net_mix import CrossNetMix as CrossNetMix
from automlrank.blocks.interaction.cross_net_v2 import CrossNetV2 as CrossNetV2
from automlrank.blocks.interaction.fm import Fm as Fm
from automlrank.blocks.interaction.gated_cross import GatedCrossNet as GatedCrossNet
from automlrank.blocks.interaction.ipnn import Ipnn as Ipnn
from automlrank.blocks.interaction.linear import LinearModel as LinearModel
from automlrank.blocks.interaction.masked import Masked as Masked
from automlrank.blocks.interaction.mlp import Mlp as Mlp
from automlrank.blocks.interaction.nfm import Nfm as Nfm
from automlrank.blocks.interaction.opnn import Opnn as Opnn
from automlrank.blocks.interaction.two_stream import TwoStream as TwoStream
from automlrank.blocks.interaction.wide import Wide as Wide
from automlrank.blocks.loss.bce import Bce as Bce
from automlrank.blocks.loss.esmm import Esmm as Esmm
from automlrank.blocks.loss.focal import Focal as Focal
from automlrank.blocks.loss.mse import Mse as Mse
from automlrank.blocks.loss.weighted_bce import WeightedBce as WeightedBce
from automlrank.blocks.merge.attention import Attention as Attention
from automlrank.blocks.merge.concat import Concat as Concat
from automlrank.blocks.merge.gated_sum import GatedSum as GatedSum
from automlrank.blocks.merge.sum import Sum as Sum
from automlrank.blocks.none import NoBlock as NoBlock
from automlrank.blocks.optimizer.ftrl import Ftrl as Ftrl
from automlrank.blocks.scenario.scenario_towers import ScenarioTowers as ScenarioTowers
from automlrank.blocks.statistics.rate_fields import RateFields as RateFields
from automlrank.blocks.statistics.rate_logit import RateLogit as RateLogit
from automlrank.blocks.tasks.cgc import Cgc as Cgc
from automlrank.blocks.tasks.m2m import MetaTasks as MetaTasks
from automlrank.blocks.tasks.mmoe import Mmoe as Mmoe
from automlrank.blocks.tasks.omoe import Omoe as Omoe
from automlrank.blocks.tasks.ple import Ple as Ple
from automlrank.blocks.tasks.poso_mmoe import PosoMmoe as PosoMmoe
from automlrank.blocks.tasks.shared_bottom import SharedBottom as SharedBottom
from automlrank.blocks.tower.lhuc import Lhuc as Lhuc
from automlrank.blocks.tower.poso import Poso as Poso
from automlrank.blocks.tower.ppnet import PpNet as PpNet
from automlrank.blocks.training import Training as Training
