terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

# The same for AWS and for a local control plane: only the environment differs (AWS_ENDPOINT_URL, credentials).
provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Project     = var.identifier
      Environment = var.environment
      ManagedBy   = "terraform"
    }
  }
}
