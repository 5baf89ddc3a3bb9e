# The images for publishing, for both architectures, from sources on the public Node image:
#
#     VERSION=0.1.0 REVISION=$(git rev-parse HEAD) docker buildx bake --file docker/docker-bake.hcl --push
#
# Nothing in a service is compiled for a machine: only the base differs. Two platforms at once need a builder of the driver docker-container.
variable "PREFIX" { default = "tandemmq" }
variable "VERSION" { default = "0.0.0" }
variable "REVISION" { default = "unknown" }
variable "SOURCE" { default = "" }
variable "NODE_IMAGE" { default = "node:24-slim" }

group "default" {
  targets = ["metadata-rpc", "broker-master", "broker-slave"]
}

target "service" {
  context    = "."
  dockerfile = "docker/Dockerfile"
  platforms  = ["linux/amd64", "linux/arm64"]
  args = {
    NODE_IMAGE = NODE_IMAGE
    VERSION    = VERSION
    REVISION   = REVISION
  }
  labels = {
    "org.opencontainers.image.source" = SOURCE
  }
}

target "metadata-rpc" {
  inherits = ["service"]
  target   = "metadata-rpc"
  tags     = ["${PREFIX}/metadata-rpc:${VERSION}"]
}

target "broker-master" {
  inherits = ["service"]
  target   = "broker-master"
  tags     = ["${PREFIX}/broker-master:${VERSION}"]
}

target "broker-slave" {
  inherits = ["service"]
  target   = "broker-slave"
  tags     = ["${PREFIX}/broker-slave:${VERSION}"]
}
