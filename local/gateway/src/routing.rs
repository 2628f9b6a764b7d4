//! From a path to the resource that it names.
//!
//! Of several resources that match, the most specific one wins, part by part: a literal, then a variable (`{id}`), then a
//! greedy variable (`{proxy+}`). A choice is taken back when nothing matches further on.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html>

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use percent_encoding::percent_decode_str;

use crate::definition::Resource;

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

/// A resource, and what its variables stand for.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub resource: Arc<Resource>,
    /// As they stand in the path, encoded: a proxy event has them so.
    pub raw_parameters: BTreeMap<String, String>,
    /// Percent-decoded: mappings and templates have them so.
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

    /// The resource that `path` names. The path is encoded still, and without the stage.
    pub fn find(&self, path: &str) -> Option<Route> {
        let parts: Vec<&str> = parts(path).collect();
        let mut found = Vec::new();
        let resource = self.root.find(&parts, &mut found)?;
        let raw_parameters: BTreeMap<String, String> =
            found.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let parameters = raw_parameters.iter().map(|(name, value)| (name.clone(), decoded(value))).collect();
        Some(Route { resource, raw_parameters, parameters })
    }
}

impl Node {
    fn find<'a>(&'a self, parts: &[&str], found: &mut Vec<(&'a str, String)>) -> Option<Arc<Resource>> {
        let Some((first, rest)) = parts.split_first() else { return self.resource.clone() };
        let literal = self.literals.get(*first).or_else(|| self.literals.get(&decoded(first)));
        if let Some(resource) = literal.and_then(|child| child.find(rest, found)) {
            return Some(resource);
        }
        if let Some((name, child)) = &self.variable {
            let before = found.len();
            found.push((name, (*first).to_owned()));
            if let Some(resource) = child.find(rest, found) {
                return Some(resource);
            }
            found.truncate(before);
        }
        let (name, resource) = self.greedy.as_ref()?;
        found.push((name, parts.join("/")));
        Some(Arc::clone(resource))
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
    use super::*;

    fn router(paths: &[&str]) -> Router {
        let mut router = Router::default();
        for path in paths {
            router.add(Arc::new(Resource::empty(path))).unwrap();
        }
        router
    }

    #[test]
    fn the_most_specific_resource_wins() {
        let router = router(&[
            "/",
            "/{proxy+}",
            "/pets",
            "/pets/{id}",
            "/pets/mine",
            "/pets/{id}/toys/{toy}",
            "/pets/mine/toys",
        ]);
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
            let route = router.find(path).unwrap();
            assert_eq!(route.resource.path, resource, "{path}");
            let expected = parameters.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
            assert_eq!(route.parameters, expected, "{path}");
        }
    }

    #[test]
    fn a_greedy_variable_takes_one_part_at_least() {
        let router = router(&["/files/{path+}"]);
        assert!(router.find("/files").is_none());
        assert!(router.find("/").is_none());
        assert_eq!(router.find("/files/a/b%20c").unwrap().raw_parameters["path"], "a/b%20c");
        assert_eq!(router.find("/files/a/b%20c").unwrap().parameters["path"], "a/b c");
    }

    #[test]
    fn a_place_has_one_variable() {
        let mut router = router(&["/pets/{id}"]);
        let error = router.add(Arc::new(Resource::empty("/pets/{name}/toys"))).unwrap_err();
        assert_eq!(error, "'{id}' stands in the same place: a place has one variable");
        let error = router.add(Arc::new(Resource::empty("/files/{path+}/more"))).unwrap_err();
        assert_eq!(error, "'{path+}' takes all that follows: nothing can come after it");
    }
}
