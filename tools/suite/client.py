"""A small client of the front door (Connect protocol, JSON), for the demo loader and the tests."""
import json
import urllib.error
import urllib.request


class ApiError(Exception):
    """A named refusal: canonical code, reason from docs/errors.md, message."""

    def __init__(self, status: int, code: str, reason: str, message: str, metadata: dict):
        super().__init__(f"{status} {code} {reason}: {message} {metadata or ''}".strip())
        self.status, self.code, self.reason, self.metadata = status, code, reason, metadata


class Api:
    def __init__(self, port: int, token: str = ""):
        self.base = f"http://127.0.0.1:{port}"
        self.token = token

    def call(self, method: str, body: dict | None = None, timeout: float = 15) -> dict:
        """method: "registry.MeterService/ListMeters"."""
        service, name = method.split("/")
        package, service = service.split(".")
        request = urllib.request.Request(
            f"{self.base}/voltwell.{package}.v1.{service}/{name}", data=json.dumps(body or {}).encode(),
            headers={"Content-Type": "application/json", **({"Authorization": f"Bearer {self.token}"} if self.token else {})})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise _api_error(error) from None

    def login(self, user: str, password: str) -> None:
        self.token = self.call("registry.SessionService/Login", {"user": user, "password": password})["token"]

    def pages(self, method: str, field: str, body: dict | None = None):
        """Every row of a List method."""
        token = ""
        while True:
            answer = self.call(method, {**(body or {}), "pageSize": 1000, "pageToken": token})
            yield from answer.get(field, [])
            token = answer.get("nextPageToken", "")
            if not token:
                return


def _api_error(error: urllib.error.HTTPError) -> ApiError:
    text = error.read().decode(errors="replace")
    try:
        body = json.loads(text)
    except ValueError:
        return ApiError(error.code, "", "", text[:200], {})
    debug = next((d.get("debug", {}) for d in body.get("details", []) if d.get("type", "").endswith("ErrorInfo")), {})
    return ApiError(error.code, body.get("code", ""), debug.get("reason", ""), body.get("message", ""),
                    debug.get("metadata", {}))
