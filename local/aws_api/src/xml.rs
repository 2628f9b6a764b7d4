//! The XML of query services, as a tree that owns its text.

/// One element: its name without the namespace, its text, its children in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// The root element of a document.
    ///
    /// # Errors
    /// What the parser says of a text that is not well-formed.
    pub fn parse(document: &str) -> Result<Self, roxmltree::Error> {
        Ok(Self::from_node(roxmltree::Document::parse(document)?.root_element()))
    }

    fn from_node(node: roxmltree::Node<'_, '_>) -> Self {
        Self {
            name: node.tag_name().name().to_owned(),
            text: node.text().map(str::trim).unwrap_or_default().to_owned(),
            children: node.children().filter(roxmltree::Node::is_element).map(Self::from_node).collect(),
        }
    }

    /// The element's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text before the first child, without the white space around it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The first child of that name.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of that name.
    pub fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of that name, unless it is empty or missing.
    #[must_use]
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(Self::text).filter(|text| !text.is_empty())
    }

    /// The members of the list `name`: what AWS writes as `<name><member>...</member></name>`. A missing list is empty.
    pub fn members<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.child(name).into_iter().flat_map(|list| list.children("member"))
    }
}

#[cfg(test)]
mod tests {
    use super::Element;

    #[test]
    fn lists_and_texts_are_found_by_name() {
        let element = Element::parse(
            r#"<Answer xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><Result><Listeners>
               <member><Port> 80 </Port><Empty/></member><member><Port>443</Port></member></Listeners></Result></Answer>"#,
        )
        .unwrap();
        let result = element.child("Result").unwrap();
        let ports: Vec<_> = result.members("Listeners").filter_map(|listener| listener.text_of("Port")).collect();
        assert_eq!((element.name(), ports), ("Answer", vec!["80", "443"]));
        assert_eq!(result.members("Missing").count(), 0);
        assert_eq!(result.members("Listeners").next().unwrap().text_of("Empty"), None);
    }

    #[test]
    fn a_document_that_breaks_off_is_an_error() {
        assert!(Element::parse("<Answer><Result>").is_err());
    }
}
