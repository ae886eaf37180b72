# All services of kworkbench in one small image; the command says which one runs:
#
#   docker run … kworkbench apps/coordinator/dist/main.js         (default)
#   docker run … kworkbench apps/netns-teardown/dist/main.js
#
# Stages: manifests -> modules (all dependencies) -> build (tsc) ; manifests -> production (run-time dependencies);
# rootfs (Node.js and the libraries it loads) -> the image. Good for the classic builder and for BuildKit alike.
# `tools/docker/build-image.sh` builds it where npm needs the host's CA certificates or the host's network.

ARG NODE_IMAGE=node:24-bookworm-slim
# The apps that the image can run.
ARG SERVICES="coordinator conntrack-cleaner netns-teardown ipvs-estimator padata-helpers reuseport-migrator"

# Only the package.json files: the stages that install are run again when one of them changes, not with every source.
FROM ${NODE_IMAGE} AS manifests
LABEL org.kworkbench.stage=manifests
WORKDIR /src
COPY . .
RUN mkdir /manifests \
 && find . -name package.json -exec cp --parents {} /manifests/ ';' \
 && cp package-lock.json .npmrc /manifests/ \
 && if [ -d .kwb/docker ]; then cp -r .kwb/docker/. /manifests/; fi

FROM ${NODE_IMAGE} AS modules
LABEL org.kworkbench.stage=modules
WORKDIR /app
COPY --from=manifests /manifests ./
# A machine behind a proxy with its own certificate authority brings it along as host-ca.crt.
RUN if [ -f host-ca.crt ]; then export NODE_EXTRA_CA_CERTS=/app/host-ca.crt npm_config_cafile=/app/host-ca.crt; fi \
 && npm ci --ignore-scripts --loglevel=error \
 # The runtime that the repository carries for older machines; this image has its own.
 && rm -rf node_modules/node-linux-* /root/.npm

FROM modules AS build
LABEL org.kworkbench.stage=build
ARG SERVICES
COPY tsconfig.base.json ./
COPY libs libs
COPY apps apps
RUN node_modules/.bin/tsc -b $(printf 'apps/%s ' $SERVICES) \
 && find apps libs '(' -name src -o -name node_modules -o -name scripts ')' -prune -exec rm -rf {} + \
 && find apps libs -type f '(' -name '*.map' -o -name '*.d.ts' -o -name '*.tsbuildinfo' -o -name .tsbuildinfo -o -name 'tsconfig*.json' ')' -delete

FROM ${NODE_IMAGE} AS production
LABEL org.kworkbench.stage=production
ARG SERVICES
WORKDIR /app
COPY --from=manifests /manifests ./
RUN if [ -f host-ca.crt ]; then export NODE_EXTRA_CA_CERTS=/app/host-ca.crt npm_config_cafile=/app/host-ca.crt; fi \
 && npm ci --ignore-scripts --loglevel=error --omit=dev --omit=optional \
      $(printf -- '--workspace apps/%s ' $SERVICES) --include-workspace-root=false \
 && find . -type f '(' -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.md' -o -name '*.markdown' ')' -path '*/node_modules/*' -delete \
 && find . -path '*/node_modules/*' -type d -empty -delete \
 && rm -rf host-ca.crt package-lock.json .npmrc e2e bench

# No shell, no package manager: what Node.js loads, one user, one place to write.
FROM ${NODE_IMAGE} AS rootfs
LABEL org.kworkbench.stage=rootfs
RUN mkdir -p /rootfs/app /rootfs/data /rootfs/tmp /rootfs/etc /rootfs/usr/local/bin \
 && cp /usr/local/bin/node /rootfs/usr/local/bin/node \
 && ldd /usr/local/bin/node | grep -o '/[^ )]*' | sort -u | xargs -I FILE cp -L --parents FILE /rootfs/ \
 && cp /etc/nsswitch.conf /rootfs/etc/ \
 && echo 'kworkbench:x:10001:10001:kworkbench:/data:/sbin/nologin' > /rootfs/etc/passwd \
 && echo 'kworkbench:x:10001:' > /rootfs/etc/group \
 && chmod 1777 /rootfs/tmp \
 && chown 10001:10001 /rootfs/data

FROM scratch
COPY --from=rootfs /rootfs /
WORKDIR /app
ENV PATH=/usr/local/bin NODE_ENV=production KWB_BIND=0.0.0.0 KWB_DATA_DIR=/data
# By number, so that an orchestrator can see that it is not root.
USER 10001:10001
# HTTP and gRPC, of the coordinator and of a mechanism's service.
EXPOSE 8080 50051 8081 50052
# A service gives its unfinished cells back on SIGTERM.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["node", "healthcheck.mjs"]
# The collector works when something is allocated, not in tasks of its own: they marked the 40 MB of a service anew every
# half second while cells ran (libs/experiment/src/worker/cell-thread.ts has the other half of the reason).
ENTRYPOINT ["node", "--no-incremental-marking-task"]
CMD ["apps/coordinator/dist/main.js"]
# Packages may have modules of their own (apps/*/node_modules), so it is all of it.
COPY --from=production /app ./
COPY tools/docker/healthcheck.mjs ./
COPY scenarios scenarios
COPY --from=build /app/libs libs
COPY --from=build /app/apps apps
# The commit the image was made from; it is part of every report's provenance.
ARG KWB_COMMIT=unknown
ENV KWB_COMMIT=${KWB_COMMIT}
LABEL org.opencontainers.image.title=kworkbench org.opencontainers.image.licenses=MIT org.opencontainers.image.revision=${KWB_COMMIT}
