"""The deployed system on a laptop (`make local`): `up` starts it all, `control_plane` is the AWS account."""
