//! From a path to the resource that it names.
//!
//! Of several resources that match, the most specific one wins, part by part: a literal, then a variable (`{id}`), then a
//! greedy variable (`{proxy+}`). A choice is taken back when nothing matches further on, or has no method for the request.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html>

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use percent_encoding::percent_decode_str;

use crate::definition::{Method, Resource};

/// The tree of an API's resources.
#[derive(Debug, Default)]
pub(crate) struct Router {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    resource: Option<Arc<Resource>>,
    literals: HashMap<String, Node>,
    variable: Option<(String, Box<Node>)>,
    greedy: Option<(String, Arc<Resource>)>,
}

/// A resource with one of its methods, and what its variables stand for, percent-decoded.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub resource: Arc<Resource>,
    pub method: Arc<Method>,
    pub parameters: BTreeMap<String, String>,
}

impl Router {
    /// Adds the resource at its path.
    ///
    /// # Errors
    /// Says what is wrong with the path.
    pub fn add(&mut self, resource: Arc<Resource>) -> Result<(), String> {
        let parts: Vec<String> = parts(&resource.path).map(str::to_owned).collect();
        let mut node = &mut self.root;
        for (index, part) in parts.iter().enumerate() {
            let variable = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
            node = match variable {
                None => node.literals.entry(part.clone()).or_default(),
                Some(name) => {
                    if let Some(name) = name.strip_suffix('+') {
                        if index + 1 < parts.len() {
                            return Err(format!("'{{{name}+}}' takes all that follows: nothing can come after it"));
                        }
                        if let Some((existing, _)) = &node.greedy {
                            return Err(format!(
                                "'{{{existing}+}}' stands in the same place: a place has one variable"
                            ));
                        }
                        node.greedy = Some((name.to_owned(), resource));
                        return Ok(());
                    }
                    let (existing, child) = node.variable.get_or_insert_with(|| (name.to_owned(), Box::default()));
                    if existing != name {
                        return Err(format!("'{{{existing}}}' stands in the same place: a place has one variable"));
                    }
                    child
                }
            };
        }
        node.resource = Some(resource);
        Ok(())
    }

    /// The resource that `path` names and that has a method for `verb`. The path is encoded still, and without the stage.
    pub fn find(&self, path: &str, verb: &str) -> Option<Route> {
        let parts: Vec<&str> = parts(path).collect();
        let mut found = Vec::new();
        let (resource, method) = self.root.find(&parts, verb, &mut found)?;
        let parameters = found.into_iter().map(|(name, value)| (name.to_owned(), decoded(&value))).collect();
        Some(Route { resource, method, parameters })
    }
}

type Found = (Arc<Resource>, Arc<Method>);

impl Node {
    fn find<'a>(&'a self, parts: &[&str], verb: &str, found: &mut Vec<(&'a str, String)>) -> Option<Found> {
        let with_method = |resource: &Arc<Resource>| {
            let method = resource.method(verb)?;
            Some((Arc::clone(resource), Arc::clone(method)))
        };
        let Some((first, rest)) = parts.split_first() else { return with_method(self.resource.as_ref()?) };
        let literal = self.literals.get(*first).or_else(|| self.literals.get(&decoded(first)));
        if let Some(resource) = literal.and_then(|child| child.find(rest, verb, found)) {
            return Some(resource);
        }
        if let Some((name, child)) = &self.variable {
            let before = found.len();
            found.push((name, (*first).to_owned()));
            if let Some(resource) = child.find(rest, verb, found) {
                return Some(resource);
            }
            found.truncate(before);
        }
        let (name, resource) = self.greedy.as_ref()?;
        let resource = with_method(resource)?;
        found.push((name, parts.join("/")));
        Some(resource)
    }
}

/// The parts between the slashes. A slash at the end, and a doubled one, make no part: API Gateway takes `/pets/` for
/// `/pets`.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

pub(crate) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::definition::Api;

    fn api(paths: &[&str]) -> Api {
        let any =
            json!({ "x-amazon-apigateway-any-method": { "x-amazon-apigateway-integration": { "type": "mock" } } });
        let paths: serde_json::Map<_, _> = paths.iter().map(|path| ((*path).to_owned(), any.clone())).collect();
        Api::parse(&json!({ "paths": paths }))
    }

    #[test]
    fn the_most_specific_resource_wins() {
        let api =
            api(&["/", "/{proxy+}", "/pets", "/pets/{id}", "/pets/mine", "/pets/{id}/toys/{toy}", "/pets/mine/toys"]);
        assert_eq!(api.warnings(), []);
        for (path, resource, parameters) in [
            ("/", "/", vec![]),
            ("", "/", vec![]),
            ("/pets", "/pets", vec![]),
            ("/pets/", "/pets", vec![]),
            ("//pets", "/pets", vec![]),
            ("/pets/mine", "/pets/mine", vec![]),
            ("/pets/m%69ne", "/pets/mine", vec![]),
            ("/pets/7", "/pets/{id}", vec![("id", "7")]),
            ("/pets/a%20b", "/pets/{id}", vec![("id", "a b")]),
            ("/pets/a%2Fb", "/pets/{id}", vec![("id", "a/b")]),
            ("/pets/mine/toys", "/pets/mine/toys", vec![]),
            // Under the literal there is nothing: the variable is tried next.
            ("/pets/mine/toys/3", "/pets/{id}/toys/{toy}", vec![("id", "mine"), ("toy", "3")]),
            // Under neither: the greedy one of the root takes all of it.
            ("/pets/mine/food", "/{proxy+}", vec![("proxy", "pets/mine/food")]),
            ("/Pets", "/{proxy+}", vec![("proxy", "Pets")]),
        ] {
            let route = api.router.find(path, "GET").unwrap();
            assert_eq!(route.resource.path, resource, "{path}");
            let expected = parameters.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
            assert_eq!(route.parameters, expected, "{path}");
        }
    }

    #[test]
    fn a_resource_without_the_method_leaves_it_to_another() {
        let mock = json!({ "x-amazon-apigateway-integration": { "type": "mock" } });
        let api = Api::parse(&json!({ "paths": {
            "/jobs/{id}": { "get": mock, "delete": mock },
            "/{proxy+}": { "get": mock, "post": mock, "x-amazon-apigateway-any-method": mock },
        } }));
        for (verb, path, resource, method) in [
            ("GET", "/jobs/7", "/jobs/{id}", "GET"),
            ("POST", "/jobs/7", "/{proxy+}", "POST"),
            ("PUT", "/jobs/7", "/{proxy+}", "ANY"),
            ("GET", "/jobs", "/{proxy+}", "GET"),
        ] {
            let route = api.router.find(path, verb).unwrap();
            assert_eq!((route.resource.path.as_str(), route.method.verb.as_str()), (resource, method), "{verb} {path}");
        }
        assert!(api.router.find("/", "GET").is_none());
    }

    #[test]
    fn a_greedy_variable_takes_one_part_at_least() {
        let api = api(&["/files/{path+}"]);
        assert!(api.router.find("/files", "GET").is_none());
        assert!(api.router.find("/", "GET").is_none());
        assert_eq!(api.router.find("/files/a/b%20c", "GET").unwrap().parameters["path"], "a/b c");
    }

    #[test]
    fn a_place_has_one_variable() {
        for (path, expected) in [
            ("/pets/{name}/toys", "'{id}' stands in the same place: a place has one variable; the path is not served"),
            (
                "/files/{path+}/more",
                "'{path+}' takes all that follows: nothing can come after it; the path is not served",
            ),
            ("/all/{b+}", "'{a+}' stands in the same place: a place has one variable; the path is not served"),
        ] {
            let api = api(&["/all/{a+}", "/pets/{id}", path]);
            let warning = api.warnings().first().unwrap();
            assert_eq!((warning.place.as_str(), warning.text.as_str()), (format!("paths.{path}").as_str(), expected));
        }
    }
}
