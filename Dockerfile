# The image of a release: the static binary and the certificates that TLS is checked against, nothing else.
# The release workflow puts the binaries into dist/ first, one for each platform.
FROM debian:bookworm-slim AS certificates
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates

FROM scratch
ARG TARGETARCH
COPY --from=certificates /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY dist/auroraml-linux-${TARGETARCH} /usr/local/bin/auroraml
# Where `docker run --volume "$PWD:/work"` puts the specs.
WORKDIR /work
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/auroraml"]
