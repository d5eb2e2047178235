# The base's tag is exact; pin it by digest where you build.
FROM python:3.11.14-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 TOKENIZERS_PARALLELISM=false
WORKDIR /app

# Another index to take packages from: PyTorch's of CPU builds saves gigabytes.
ARG PIP_EXTRA_INDEX_URL

# Dependencies change seldom, code often: the layer with them comes first.
COPY requirements.lock tools/image_install.sh ./
RUN sh image_install.sh dependencies

COPY pyproject.toml README.md ./
COPY models models
COPY service service
RUN sh image_install.sh code

RUN useradd --system --uid 1001 --no-create-home whosaid && mkdir /data && chown 1001 /data
USER 1001
VOLUME /data
EXPOSE 8080
ENV WHOSAID_HOST=0.0.0.0 WHOSAID_PORT=8080 WHOSAID_DATABASE_URL=sqlite:////data/whosaid.db WHOSAID_DATA_FOLDER=/data
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["/app/.venv/bin/python", "-m", "service.healthcheck"]
ENTRYPOINT ["/app/.venv/bin/whosaid"]
CMD ["serve"]
