# The image of the controller: docker build -t YOUR-REGISTRY/chart-publisher:0.1.0 .
FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY Cargo.toml Cargo.lock rust-toolchain.toml ./
COPY src src
COPY tests tests
RUN cargo build --release --locked --bin chart-publisher

# libc and libgcc, no shell; the binary brings a list of authorities where the image has none.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /source/target/release/chart-publisher /chart-publisher
ENTRYPOINT ["/chart-publisher"]
