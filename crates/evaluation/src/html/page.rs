//! The page around the parts.

use super::text::escape;

/// The style of every page.
const STYLE: &str = include_str!("style.css");

/// A page of sections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    title: String,
    subtitle: String,
    sections: Vec<(String, String)>,
}

impl Page {
    /// A page without sections.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Default::default() }
    }

    /// A line below the title.
    pub fn with_subtitle(mut self, subtitle: impl Into<String>) -> Self {
        self.subtitle = subtitle.into();
        self
    }

    /// Adds a section. Its body is HTML, made by the parts of this module.
    pub fn section(&mut self, heading: impl Into<String>, body: &str) {
        self.sections.push((heading.into(), body.to_owned()));
    }

    /// The whole document.
    pub fn html(&self) -> String {
        let title = escape(&self.title);
        let section = |(at, (heading, body)): (usize, &(String, String))| {
            let heading = escape(heading);
            format!(
                "<section aria-labelledby=\"s{at}\">\n<h2 id=\"s{at}\">{heading}</h2>\n{body}</section>\n"
            )
        };
        let sections: String = self.sections.iter().enumerate().map(section).collect();
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
             <h1>{title}</h1>\n<p class=\"sub\">{}</p>\n{}{sections}</main>\n</body>\n</html>\n",
            escape(&self.subtitle),
            self.contents(),
        )
    }

    /// Links to the sections, where there are enough to lose one's way.
    fn contents(&self) -> String {
        if self.sections.len() < 3 {
            return String::new();
        }
        let link = |(at, (heading, _)): (usize, &(String, String))| {
            format!("<a href=\"#s{at}\">{}</a> ", escape(heading))
        };
        let links: String = self.sections.iter().enumerate().map(link).collect();
        format!("<nav aria-label=\"Sections\">{links}</nav>\n")
    }
}

/// The figures that matter most, as pairs of a value and what it is.
pub fn cards(cards: &[(String, String)]) -> String {
    let card = |(value, name): &(String, String)| {
        let (value, name) = (escape(value), escape(name));
        format!("<div class=\"card\"><b>{value}</b><span>{name}</span></div>\n")
    };
    format!("<div class=\"cards\">\n{}</div>\n", cards.iter().map(card).collect::<String>())
}

/// Names and values, as the versions and settings of a run.
pub fn facts(facts: &[(String, String)]) -> String {
    let line = |(name, value): &(String, String)| {
        let (name, value) = (escape(name), escape(value));
        format!("<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>\n")
    };
    format!(
        "<table class=\"facts\"><tbody>\n{}</tbody></table>\n",
        facts.iter().map(line).collect::<String>()
    )
}

/// A remark in small print.
pub fn note(text: &str) -> String {
    format!("<p class=\"sub\">{}</p>\n", escape(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_names_nothing_outside_of_itself() {
        let mut page = Page::new("a < b").with_subtitle("c & d");
        for heading in ["one", "two <", "three"] {
            page.section(heading, &note("& so on"));
        }
        let html = page.html();
        for outside in ["http", "src=", "@import", "url(", "<script"] {
            assert!(!html.contains(outside), "{outside}");
        }
        assert!(html.contains("<title>a &lt; b</title>") && html.contains("c &amp; d"));
        assert!(html.contains("<a href=\"#s1\">two &lt;</a>") && html.contains("id=\"s1\""));
        assert!(html.contains("&amp; so on"));
    }

    #[test]
    fn cards_and_facts_escape_both_of_their_parts() {
        let pairs = [("<1>".to_owned(), "<2>".to_owned())];
        for html in [cards(&pairs), facts(&pairs)] {
            assert!(html.contains("&lt;1&gt;") && html.contains("&lt;2&gt;"), "{html}");
        }
    }
}
