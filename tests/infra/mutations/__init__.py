"""Mistakes that people make in a deployment, and the rule that has to see each."""

from tests.infra.mutations import access, app, network, resources, watching
from tests.infra.mutations.mutation import Mutation, copied

__all__ = ["MUTATIONS", "Mutation", "copied"]

MUTATIONS = tuple(one for kind in (resources, access, app, network, watching) for one in kind.MUTATIONS)
