"""The Atelier service: one FastAPI application built from the features, beside JupyterHub.

Run by uvicorn as `hub.service:application`. Holds no logic of a feature: it wires them, gives every answer its
headers and its request id, and turns the error tree into answers in the person's language.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as StarletteHTTPException

from hub import auth, health
from hub.courses import routes as courses_routes
from hub.courses import views as courses_views
from hub.courses.service import Courses
from hub.db import Database
from hub.dress import Dress
from hub.errors import AtelierError, InvalidInputError, NotFoundError
from hub.log import configure_logging
from hub.pages import render
from hub.people import routes as people_routes
from hub.people import views as people_views
from hub.people.service import People
from hub.progress import routes as progress_routes
from hub.progress import views as progress_views
from hub.progress.service import Progress
from hub.settings import Settings, get_settings
from hub.submissions import routes as submissions_routes
from hub.submissions import views as submissions_views
from hub.submissions.service import Submissions
from hub.submissions.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FEATURES_API = (people_routes, courses_routes, submissions_routes, progress_routes)
FEATURES_PAGES = (people_views, courses_views, submissions_views, progress_views)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Services:
    """What the application is made of; routes and views get it through `auth.get_services`."""

    settings: Settings
    database: Database
    store: Store
    people: People
    courses: Courses
    submissions: Submissions
    progress: Progress


def make_services(settings: Settings, database: Database | None = None) -> Services:
    """Wire the features to one database and one store."""
    database = database or Database(settings.effective_database_url)
    store = Store(settings.store_dir)
    people = People(database, settings)
    courses = Courses(database, store, settings)
    progress = Progress(database, settings)
    submissions = Submissions(database, store, settings, people, courses, progress)
    return Services(settings, database, store, people, courses, submissions, progress)


def create_app(settings: Settings, services: Services | None = None) -> FastAPI:
    """Return the application for these settings; tests pass their own services."""
    prefix = settings.service_prefix
    wired = services or make_services(settings)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        reporters = asyncio.create_task(wired.progress.run_reporters())
        yield
        reporters.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reporters
        wired.database.close()

    app = FastAPI(
        title="Atelier",
        version="0.1.0",
        description="Courses, submissions, results and progress. Tokens come from JupyterHub.",
        openapi_url=f"{prefix}api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.services = wired
    app.state.hub_auth = auth.make_hub_auth(settings)
    app.state.sessions = auth.SessionCodec(settings)

    api = APIRouter(prefix=f"{prefix}api")
    api.include_router(health.router)
    for feature in FEATURES_API:
        api.include_router(feature.router)
    app.include_router(api)
    pages = APIRouter(prefix=prefix.rstrip("/"), include_in_schema=False)
    for feature in FEATURES_PAGES:
        pages.include_router(feature.router)
    app.include_router(pages)
    app.include_router(auth.router, prefix=prefix.rstrip("/"))
    app.mount(f"{prefix}static", StaticFiles(directory=render.STATIC_DIR), name="static")

    app.add_middleware(Dress, settings=settings)
    app.add_exception_handler(AtelierError, _answer_error)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    app.add_exception_handler(StarletteHTTPException, _answer_http_error)
    app.add_exception_handler(Exception, _answer_crash)
    return app


def _is_api(request: Request) -> bool:
    prefix = request.app.state.services.settings.service_prefix
    return request.url.path.startswith(f"{prefix}api/")


def _respond(request: Request, error: AtelierError) -> Response:
    request_id = getattr(request.state, "request_id", "-")
    if _is_api(request):
        language = render.request_language(request)
        body = {
            "reason": error.reason,
            "message": render.translate(language, error.message, **error.values),
            "request_id": request_id,
        }
        return JSONResponse({"error": body}, status_code=error.status)
    return render.error_page(request, error, request_id)


async def _answer_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AtelierError)  # noqa: S101 - the type that this handler is registered for
    if isinstance(error, auth.SignInRequiredError) and not request.headers.get("hx-request"):
        return auth.sign_in_redirect(request)
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR or error.log:
        log.warning(
            "request refused", reason=error.reason, path=request.url.path, detail=error.log or str(error)
        )
    return _respond(request, error)


async def _answer_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    first = error.errors()[0]
    where = ".".join(str(part) for part in first.get("loc", ()))
    return _respond(
        request, InvalidInputError("%(field)s: %(problem)s", field=where, problem=first.get("msg", ""))
    )


async def _answer_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)  # noqa: S101
    if error.status_code == HTTPStatus.NOT_FOUND:
        return _respond(request, NotFoundError("This page does not exist."))
    plain = AtelierError("This is not possible here.", reason="not_possible")
    plain.status = error.status_code
    return _respond(request, plain)


async def _answer_crash(request: Request, error: Exception) -> Response:
    log.error("request failed", path=request.url.path, exc_info=error)
    return _respond(
        request, AtelierError("Something went wrong on our side. We have noted it. Please try again.")
    )


def application() -> FastAPI:
    """Return the application of this process (uvicorn's factory)."""
    configure_logging()
    return create_app(get_settings())
