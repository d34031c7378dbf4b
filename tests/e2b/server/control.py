"""The part of the service that starts, finds and ends sandboxes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.e2b.server.cloud import API_KEY, ENVD_VERSION, Cloud, Machine

Handler = Callable[[Request], Awaitable[Response]]


def refusal(status: int, message: str) -> JSONResponse:
    """An error as E2B words it."""
    return JSONResponse({"code": status, "message": message}, status)


def with_key(handler: Handler) -> Handler:
    """Refuse requests without the key of the account."""

    @wraps(handler)
    async def checked(request: Request) -> Response:
        if request.headers.get("x-api-key") != API_KEY:
            return refusal(401, "the API key is not valid")
        return await handler(request)

    return checked


def routes(cloud: Cloud) -> list[Route]:
    """What it answers."""

    async def create(request: Request) -> Response:
        asked = await request.json()
        if asked.get("timeout", 300) > 86400:
            return refusal(400, "Timeout cannot be greater than 24 hours")
        if asked.get("templateID", "base") not in ("base", "code-interpreter-v1"):
            return refusal(404, f"template '{asked['templateID']}' not found")
        return JSONResponse(described(cloud.create(asked.get("timeout", 300))), 201)

    async def connect(request: Request) -> Response:
        machine = cloud.machines.get(request.path_params["name"])
        if machine is None:
            return refusal(404, "the sandbox does not exist")
        machine.timeout = max(machine.timeout, (await request.json()).get("timeout", 300))
        machine.state = "running"
        return JSONResponse(described(machine), 200)

    async def set_timeout(request: Request) -> Response:
        machine = cloud.machines.get(request.path_params["name"])
        if machine is None:
            return refusal(404, "the sandbox does not exist")
        machine.timeout = (await request.json())["timeout"]
        return Response(status_code=204)

    async def kill(request: Request) -> Response:
        if cloud.machines.pop(request.path_params["name"], None) is None:
            return refusal(404, "the sandbox does not exist")
        return Response(status_code=204)

    return [
        Route("/v2/sandboxes", with_key(create), methods=["POST"]),
        Route("/v2/sandboxes/{name}/connect", with_key(connect), methods=["POST"]),
        Route("/sandboxes/{name}/timeout", with_key(set_timeout), methods=["POST"]),
        Route("/sandboxes/{name}", with_key(kill), methods=["DELETE"]),
    ]


def described(machine: Machine) -> dict[str, str]:
    """A sandbox as the SDK reads it."""
    return {
        "templateID": "base",
        "sandboxID": machine.name,
        "clientID": "local",
        "envdVersion": ENVD_VERSION,
        "envdAccessToken": machine.token,
    }
