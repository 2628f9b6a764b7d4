//! Load balancers, ECS services and CodeDeploy on a laptop.
