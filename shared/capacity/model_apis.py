"""The APIs that deployments speak, each with its adapter; every call goes to the one that its deployment names."""

from collections.abc import Mapping, Sequence

from shared.errors import SettingsError
from shared.ports import ChatModel, ModelRequest, ModelStream
from shared.settings import Deployment


class ModelApis:
    """The adapters by the name of their API. Itself a `shared.ports.ChatModel`."""

    def __init__(self, apis: Mapping[str, ChatModel], deployments: Sequence[Deployment]) -> None:
        """Takes the adapters, and the deployments that will be called.

        Raises:
            SettingsError: A chat deployment names an API that is not there.
        """
        self._apis = apis
        for deployment in deployments:
            if deployment.kind == "chat" and deployment.api not in apis:
                raise SettingsError(
                    f"SPILLWAY_DEPLOYMENTS: {deployment.name} has the api {deployment.api!r}; "
                    f"choose one of {', '.join(apis)}. See docs/settings.md."
                )

    async def open(self, deployment: Deployment, request: ModelRequest) -> ModelStream:
        """See `shared.ports.ChatModel`."""
        return await self._apis[deployment.api].open(deployment, request)
