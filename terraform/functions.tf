# One entry per Lambda function: the function, how API Gateway calls it, and what each alias serves. What is left out has
# a default in modules/function/variables.tf. A new function is a new entry here, and a crate of that name under lambdas/.
locals {
  functions = {
    string-replace = {
      lambda = {
        description = "Replaces words in the text that it is sent"
        environment = local.map_to_read.environment
        statements  = local.map_to_read.statements
      }
      integration = {}
      aliases     = { test = "$LATEST", prod = local.releases.functions.string-replace.prod }
    }
  }
}
