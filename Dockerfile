# The service with its pages built. Runs as uid 1000, writes to /data only, and needs no npm.
#   docker build -t todo-app . && docker run -p 8000:8000 -v todo-data:/data todo-app
FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY test/client/package.json test/client/
COPY bench/peers/express/package.json bench/peers/express/
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build

FROM node:26-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Node comes with the base image. npm would bring a second one as an optional dependency, which cannot
# be left out alone: the binary of bcrypt is an optional dependency as well.
RUN npm ci --omit=dev --workspaces=false --ignore-scripts --no-audit --no-fund \
    && rm -rf node_modules/node-linux-* node_modules/.bin node_modules/.package-lock.json

FROM node:26-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Todo App" \
      org.opencontainers.image.description="A todo service for your own machine: a documented REST API and the web pages on top of it" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.base.name="docker.io/library/node:26-slim"
RUN install --directory --owner=1000 --group=1000 --mode=700 /data
COPY --from=dependencies /app/node_modules /app/node_modules
COPY package.json LICENSE /app/
COPY --from=build /app/dist /app/dist
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATABASE_URL=sqlite:////data/todo.db \
    GLIBC_TUNABLES=glibc.malloc.arena_max=1:glibc.malloc.mmap_threshold=4194304:glibc.malloc.hugetlb=1
# Compiled code is kept for each user apart, so the one that serves makes it, by one start; no one may
# change it afterwards.
RUN install --directory --owner=1000 --group=1000 /app/node_modules/.cache \
    && cd /tmp \
    && setpriv --reuid=1000 --regid=1000 --clear-groups sh -c ' \
        export DATABASE_URL=sqlite:// SECRET_KEY="$(head -c 32 /dev/urandom | base64)" HOST=127.0.0.1; \
        node --max-semi-space-size=12 --max-old-space-size=1024 --no-memory-reducer --no-allocation-site-pretenuring /app/dist/main.js & \
        until node /app/dist/main.js healthcheck 2>/dev/null; do kill -0 $! && sleep 0.2 || exit 1; done; \
        kill $! && wait $!' \
    && chown --recursive root:root /app/node_modules/.cache \
    && chmod --recursive a+rX /app/node_modules/.cache
# The signing key is kept in data/ of the working directory, and so in the volume.
WORKDIR /
USER 1000:1000
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["node", "/app/dist/main.js", "healthcheck"]
# As `npm start`: less garbage is let pile up, whatever the machine's memory (docs/operations.md).
ENTRYPOINT ["node", "--max-semi-space-size=12", "--max-old-space-size=1024", "--no-memory-reducer", "--no-allocation-site-pretenuring", "/app/dist/main.js"]
CMD ["serve"]
