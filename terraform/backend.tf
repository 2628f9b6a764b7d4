# `make terraform/init` says which bucket, key and region (-backend-config), so no account's name stands here. The bucket's
# own name comes from an SSM parameter; `make terraform/bootstrap` makes both.
#
# A local control plane needs no other backend: with AWS_ENDPOINT_URL set, the state lives in its S3 as it would in AWS.
# Set TF_DATA_DIR as well, so that the working directory's own `.terraform` keeps pointing at AWS:
#
#   export AWS_ENDPOINT_URL=http://127.0.0.1:5000 TF_DATA_DIR=$PWD/target/local/terraform
#   make terraform/bootstrap terraform/init terraform/apply
terraform {
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}
