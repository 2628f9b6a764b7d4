# One entry per Lambda function: the function, how API Gateway calls it, and what each alias serves. What is left out has
# a default in modules/function/variables.tf. A new function is a new entry here, and a crate of that name under lambdas/.
locals {
  # Architecture lambda
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

  # Architecture publish. Which there are is said apart from what they are: their roles are named by the policy of the bucket
  # that they are told.
  publish_functions = toset(!contains(var.architectures, "publish") ? [] : concat(
    ["publish-receipt"],
    local.publish_authorized ? ["authorizer"] : [],
    var.publish.worker ? ["publish-worker"] : [],
  ))
  publish_authorized = var.publish.authorization_header != ""

  # Architecture private
  private_functions = toset(contains(var.architectures, "private") ? ["private-authorizer"] : [])
  private_alias     = "live" # serves $LATEST to all stages

  private = {
    private-authorizer = {
      package = "authorizer" # the one of publish, with another scope
      lambda = {
        description = "Says who may call the private API, by the token"
        environment = merge(one(module.tokens[*].reader.environment), { TOKEN_SCOPE = "private", TOKEN_SCHEME = "required" })
        statements  = one(module.tokens[*].reader.statements)
      }
    }
  }

  # They serve $LATEST to the API's one stage: each is called by one place of this root, and changes with it.
  publish_aliases = { (var.publish.stage_name) = "$LATEST" }

  # A body of 10 MB takes seconds; this is for a batch of them. What it is not done in is tried again.
  processing_timeout_seconds = 60

  publish = {
    authorizer = {
      lambda = {
        description = "Says who may publish, by the token"
        environment = merge(one(module.tokens[*].reader.environment), { TOKEN_SCOPE = "publish" })
        statements  = one(module.tokens[*].reader.statements)
      }
    }
    publish-receipt = {
      lambda = {
        description = "Says how far a published body has come"
        environment = one(module.capture[*].users.reader.environment)
        statements  = one(module.capture[*].users.reader.statements)
      }
    }
    publish-worker = {
      lambda = {
        description     = "Processes published bodies"
        timeout_seconds = local.processing_timeout_seconds
        environment     = merge(one(module.capture[*].users.processor.environment), local.map_to_read.environment)
        statements      = concat(coalesce(one(module.capture[*].users.processor.statements), []), local.map_to_read.statements)
      }
      network = one(local.publish_network)
      queue   = one([for capture in module.capture : { arn = capture.queue.arn }])
      # It does in batches what nobody waits for.
      alarm_thresholds = { duration_p95_milliseconds = local.processing_timeout_seconds * 1000 / 2 }
    }
  }
}
