# syntax=docker/dockerfile:1
FROM python:3.11.14-slim-bookworm AS build
WORKDIR /app
COPY requirements.txt .
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt

FROM python:3.11.14-slim-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates=20* \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /app wellintake
WORKDIR /app
COPY --from=build /venv /venv
COPY . .
RUN SECRET_KEY=only-for-collecting-static-files-0123456789 /venv/bin/python manage.py collectstatic --noinput \
 && install -d -m 700 -o wellintake var
# By number: platforms that refuse root cannot look up names.
USER 10001
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 LOG_FORMAT=json
EXPOSE 8000
VOLUME /app/var
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/stream/health?probe=live', timeout=2)"]
# One process that does everything. Many hosts: migrate once, then these web servers, and `manage.py worker` (docs/deploy.md).
CMD ["sh", "-c", "python manage.py migrate --verbosity 0 && exec uvicorn wellintake.asgi:application --host 0.0.0.0 --port 8000 --ws websockets-sansio --http wellintake.access.patience:PatientProtocol --ws-per-message-deflate false --ws-max-size 21000000 --no-access-log --timeout-graceful-shutdown 10"]
