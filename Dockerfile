# The production image: no embedded servers, no root, nothing downloaded at run time. See docs/operate.md.
FROM python:3.13-slim AS packages
WORKDIR /app
RUN python -m venv /opt/venv
COPY requirements/base.txt requirements/base.txt
RUN /opt/venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/base.txt

FROM python:3.13-slim
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PATH=/opt/venv/bin:$PATH \
    ENTREPOT_DATA_DIR=/app/var
# LightGBM's own library wants GNU's OpenMP, which the slim image leaves out.
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin entrepot
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY manage.py ./
COPY config config
COPY catalog catalog
COPY warehouses warehouses
COPY forecasting forecasting
COPY procurement procurement
COPY monitoring monitoring
COPY templates templates
COPY static static
COPY locale locale
COPY requirements/base.txt requirements/base.txt
# Neither step touches a server; the key made here is thrown away, production demands its own from the environment.
RUN python -c "from pathlib import Path; from config.supervisor.translations import compile_translations as c; c(Path('locale'))" \
    && python -c "from pathlib import Path; from config.machine_code import keep_machine_code as k; k(Path('/app'), Path('/app/var')); from forecasting.engine.warm import warm; warm()" \
    && DJANGO_SETTINGS_MODULE=config.settings.base python manage.py collectstatic --noinput -v 0 \
    && rm -f var/secret_key && mkdir -p var/files \
    && chown -R entrepot: var
# Web processes: read by uvicorn, see docs/operate.md.
ENV DJANGO_SETTINGS_MODULE=config.settings.production \
    WEB_CONCURRENCY=2
USER entrepot
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=5 \
    CMD ["python", "-m", "config.supervisor.health"]
CMD ["python", "-m", "uvicorn", "config.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--lifespan", "off", "--no-proxy-headers", "--no-server-header", "--timeout-graceful-shutdown", "10"]
