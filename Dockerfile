# One image, two programs: /operator (the default) and /provider.
# Both are static and need neither a shell nor a package; the final stage holds
# them, the CA certificates, the time zones and a non-root user.
ARG GO_VERSION=1.26
FROM --platform=$BUILDPLATFORM golang:${GO_VERSION} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS TARGETARCH VERSION=dev
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=${TARGETOS} GOARCH=${TARGETARCH} \
    go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/ ./cmd/operator ./cmd/provider

FROM gcr.io/distroless/static-debian12:nonroot
LABEL org.opencontainers.image.title="oidc-operator" \
      org.opencontainers.image.source="https://github.com/oidc-operator/oidc-operator" \
      org.opencontainers.image.description="OpenID Connect clients, keys and users as Kubernetes resources"
COPY --from=build /out/operator /out/provider /
# the number and not the name: Kubernetes checks runAsNonRoot against it
USER 65532:65532
ENTRYPOINT ["/operator"]
