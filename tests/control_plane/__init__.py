"""The local control plane, asked through the AWS SDK as anybody would."""
