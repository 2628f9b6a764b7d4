//! What a person needs to know first: where the front doors are.

use crate::front_doors::FrontDoor;

/// Every front door with its address, what it asks for, and a command that tries it.
pub fn of(front_doors: &[FrontDoor], page: &str) -> String {
    let width = |of: fn(&FrontDoor) -> usize| front_doors.iter().map(of).max().unwrap_or_default();
    let [names, urls] = [width(|front_door| front_door.name.len()), width(|front_door| front_door.url.len())];
    let mut lines = vec![String::new()];
    for front_door in front_doors {
        let headers: Vec<_> = front_door.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let line = format!("  {:names$}  {:urls$}  {}", front_door.name, front_door.url, headers.join("  "));
        lines.push(line.trim_end().to_owned());
    }
    if front_doors.is_empty() {
        lines.push("  There is no front door yet. An API that is deployed appears here.".into());
    }
    lines.push(String::new());
    lines.extend(front_doors.iter().map(|front_door| format!("  {}", front_door.curl())));
    lines.push(format!("\n  All of this, to click: {page}/\n"));
    lines.join("\n")
}
