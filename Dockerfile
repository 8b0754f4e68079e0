# The service, without torch: it answers with the packaged model of an MLflow registry.
#
#     docker build -t bukva .
#     docker run -p 8000:8000 -e BUKVA_TRACKING_URI=http://mlflow:5000 bukva

FROM python:3.11.14-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/bukva
COPY constraints.txt pyproject.toml README.md ./
COPY src src
RUN /opt/bukva/bin/pip install --no-cache-dir --disable-pip-version-check \
        -c constraints.txt ".[serving]"

FROM python:3.11.14-slim-bookworm AS serving
RUN useradd --system --uid 10001 --create-home bukva
COPY --from=build /opt/bukva /opt/bukva
ENV PATH=/opt/bukva/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    BUKVA_HOST=0.0.0.0 \
    BUKVA_PORT=8000
WORKDIR /home/bukva
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"BUKVA_PORT\"]}/livez', timeout=2)"]
ENTRYPOINT ["python", "-m", "bukva.serving"]
