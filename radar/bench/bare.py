"""A route that does nothing but send the bytes of a file: what an answer costs in FastAPI at the least."""

import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Response


def bare_app(body: bytes) -> FastAPI:
    """One async route without parameters, checks or middleware."""
    app = FastAPI(openapi_url=None)

    @app.get("/")
    async def answer() -> Response:
        return Response(body, media_type="application/json")

    return app


def main(file: str) -> None:
    """Serve the file's bytes at a free port, which is printed."""
    app = bare_app(Path(file).read_bytes())
    config = uvicorn.Config(app, port=0, log_config=None, log_level="warning", access_log=False)
    taken = config.bind_socket()
    print(f"at http://127.0.0.1:{taken.getsockname()[1]}", flush=True)
    uvicorn.Server(config).run(sockets=[taken])


if __name__ == "__main__":
    main(sys.argv[1])
