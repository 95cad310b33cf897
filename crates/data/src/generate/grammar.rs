//! A story grammar: lexicon, shared phrases and plots, read from TOML and checked whole when it is loaded.
//!
//! A plot file has `weight`, `titles`, `roles` (see `role.rs`), one or more `outlines` (a paragraph a line) and
//! `[rules]`; the phrase file has `roles` that every plot gets and `[rules]` that every plot may use. Every line of a rule is one alternative. See `template.rs` for the
//! template language.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::GrammarError;
use super::lexicon::Lexicon;
use super::role::Role;
use super::scene::{Scene, render_any};
use super::template::{Call, Node, Slot, Source, Template};
use crate::dice::Dice;
use crate::fingerprint::Fingerprint;

/// Everything that stories are told from.
#[derive(Debug)]
pub struct Grammar {
    pub(super) lexicon: Lexicon,
    pub(super) plots: Vec<Plot>,
    phrases: Rules,
    fingerprint: Fingerprint,
}

/// The alternatives of every rule.
type Rules = BTreeMap<String, Vec<Template>>;

/// Rule parameters: the name inside the rule and the role that it stands for.
pub(super) type Aliases = Vec<(String, String)>;

/// One kind of story.
#[derive(Debug)]
pub(super) struct Plot {
    pub id: String,
    pub weight: usize,
    pub titles: Vec<Template>,
    pub roles: Vec<Role>,
    pub outlines: Vec<Vec<Template>>,
    rules: Rules,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlotFile {
    weight: usize,
    titles: String,
    roles: String,
    outlines: Vec<String>,
    rules: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PhraseFile {
    roles: String,
    rules: BTreeMap<String, String>,
}

impl Grammar {
    /// Reads a grammar from the texts of its files and checks that every rule, role, class and form exists.
    ///
    /// `plots` pairs the id of each plot with the text of its file.
    ///
    /// # Errors
    /// The first [`GrammarError`] found.
    pub fn parse(
        lexicon: &str,
        phrases: &str,
        plots: &[(&str, &str)],
    ) -> Result<Self, GrammarError> {
        let plot_texts = plots.iter().flat_map(|(id, text)| [*id, *text]);
        let fingerprint = Fingerprint::of_parts([lexicon, phrases].into_iter().chain(plot_texts));
        let lexicon = Lexicon::parse("lexicon.toml", lexicon)?;
        let file: PhraseFile =
            toml::from_str(phrases).map_err(|source| GrammarError::toml("phrases.toml", source))?;
        let phrases = parse_rules("phrases.toml", &file.rules)?;
        let roles = parse_roles("phrases.toml", &file.roles)?;
        let plots = plots
            .iter()
            .map(|(id, text)| Plot::parse(id, text, &roles))
            .collect::<Result<Vec<_>, _>>()?;
        let grammar = Self { lexicon, plots, phrases, fingerprint };
        if grammar.plots.iter().all(|plot| plot.weight == 0) {
            return Err(GrammarError::plot(
                "grammar",
                "plots",
                "there is no plot with a positive weight",
            ));
        }
        for plot in &grammar.plots {
            grammar.check(plot)?;
        }
        Ok(grammar)
    }

    /// Identifies the texts that the grammar was read from.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The alternatives of a rule: the plot's own, else a shared phrase.
    pub(super) fn rule<'a>(&'a self, plot: &'a Plot, name: &str) -> Option<&'a [Template]> {
        plot.rules.get(name).or_else(|| self.phrases.get(name)).map(Vec::as_slice)
    }

    /// Picks a plot with probability proportional to its weight.
    pub(super) fn pick_plot(&self, dice: &mut Dice) -> &Plot {
        let total = self.plots.iter().map(|plot| plot.weight).sum();
        let mut throw = dice.below(total);
        let picked = self.plots.iter().find(|plot| {
            let hit = throw < plot.weight;
            throw = throw.saturating_sub(plot.weight);
            hit
        });
        picked.expect("the throw is below the total weight")
    }

    /// Walks everything that `plot` can say, with a few casts, and renders every slot on the way.
    fn check(&self, plot: &Plot) -> Result<(), GrammarError> {
        let mut dice = Dice::new(0, 0);
        let casts: Vec<Scene> =
            (0..8).filter_map(|_| Scene::cast(&plot.roles, &self.lexicon, &mut dice)).collect();
        if casts.is_empty() {
            return Err(GrammarError::plot(
                &plot.id,
                "roles",
                "the roles cannot be cast: a class, role or attribute is unknown",
            ));
        }
        let mut check =
            Check { grammar: self, plot, casts, dice, seen: BTreeSet::new(), open: Vec::new() };
        for template in plot.titles.iter().chain(plot.outlines.iter().flatten()) {
            check.template(template, &Aliases::new())?;
        }
        match plot.rules.keys().find(|name| !check.seen.iter().any(|(seen, _)| seen == *name)) {
            Some(unused) => Err(GrammarError::plot(&plot.id, unused, "this rule is never used")),
            None => Ok(()),
        }
    }
}

impl Plot {
    fn parse(id: &str, text: &str, common: &[Role]) -> Result<Self, GrammarError> {
        let file: PlotFile =
            toml::from_str(text).map_err(|source| GrammarError::toml(id, source))?;
        let roles = [common, &parse_roles(id, &file.roles)?].concat();
        let mut names = BTreeSet::new();
        if let Some(name) =
            roles.iter().flat_map(|role| &role.names).find(|name| !names.insert(*name))
        {
            return Err(GrammarError::role(&format!("{id}, roles"), name, "declared twice"));
        }
        let outlines = file.outlines.iter().map(|outline| parse_lines(id, "outlines", outline));
        Ok(Self {
            id: id.to_owned(),
            weight: file.weight,
            titles: parse_lines(id, "titles", &file.titles)?,
            roles,
            outlines: outlines.collect::<Result<_, _>>()?,
            rules: parse_rules(id, &file.rules)?,
        })
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

fn parse_lines(file: &str, key: &str, text: &str) -> Result<Vec<Template>, GrammarError> {
    let templates = lines(text)
        .map(|line| Template::parse(line, &format!("{file}, {key}")))
        .collect::<Result<Vec<_>, _>>()?;
    if templates.is_empty() {
        Err(GrammarError::plot(file, key, "there is no alternative"))
    } else {
        Ok(templates)
    }
}

fn parse_roles(file: &str, text: &str) -> Result<Vec<Role>, GrammarError> {
    lines(text).map(|line| Role::parse(line, &format!("{file}, roles"))).collect()
}

fn parse_rules(file: &str, rules: &BTreeMap<String, String>) -> Result<Rules, GrammarError> {
    rules.iter().map(|(name, text)| Ok((name.clone(), parse_lines(file, name, text)?))).collect()
}

/// The role that a name means inside a rule: its parameter, else the role of the story.
pub(super) fn resolve<'a>(aliases: &'a [(String, String)], name: &'a str) -> &'a str {
    aliases.iter().find(|(alias, _)| alias == name).map_or(name, |(_, role)| role)
}

/// The parameters of `call` in terms of the roles of the story.
pub(super) fn resolve_all(call: &Call, aliases: &[(String, String)]) -> Aliases {
    call.aliases
        .iter()
        .map(|(alias, role)| (alias.clone(), resolve(aliases, role).to_owned()))
        .collect()
}

/// The walk of [`Grammar::check`].
struct Check<'a> {
    grammar: &'a Grammar,
    plot: &'a Plot,
    casts: Vec<Scene>,
    dice: Dice,
    /// Rules that have been walked, with their parameters.
    seen: BTreeSet<(String, Aliases)>,
    /// The rules from the outline down to where the walk is.
    open: Vec<String>,
}

impl Check<'_> {
    fn template(&mut self, template: &Template, aliases: &Aliases) -> Result<(), GrammarError> {
        template.0.iter().try_for_each(|node| match node {
            Node::Text(_) => Ok(()),
            Node::Choice(alternatives) => {
                alternatives.iter().try_for_each(|alternative| self.template(alternative, aliases))
            }
            Node::Slot(slot) => self.slot(slot, aliases),
            Node::Call(call) => self.call(call, aliases),
        })
    }

    fn call(&mut self, call: &Call, aliases: &Aliases) -> Result<(), GrammarError> {
        if self.open.contains(&call.rule) {
            return Err(GrammarError::plot(&self.plot.id, &call.rule, "this rule calls itself"));
        }
        let aliases = resolve_all(call, aliases);
        let alternatives = self
            .grammar
            .rule(self.plot, &call.rule)
            .ok_or_else(|| self.unknown("rule", &call.rule))?;
        if !self.seen.insert((call.rule.clone(), aliases.clone())) {
            return Ok(());
        }
        self.open.push(call.rule.clone());
        alternatives.iter().try_for_each(|alternative| self.template(alternative, &aliases))?;
        self.open.pop();
        Ok(())
    }

    fn slot(&mut self, slot: &Slot, aliases: &Aliases) -> Result<(), GrammarError> {
        let form = slot.form.as_deref();
        match &slot.source {
            Source::AnyOf(class) => {
                let entries = self
                    .grammar
                    .lexicon
                    .class(class)
                    .ok_or_else(|| self.unknown("class", class))?;
                let text = render_any(&entries[0], form, &mut self.dice);
                text.ok_or_else(|| {
                    self.unknown("form", &format!("~{class}.{}", form.unwrap_or("")))
                })?;
            }
            Source::Role(role) => {
                let argument = slot.argument.as_deref().map(|role| resolve(aliases, role));
                for scene in &self.casts {
                    let value = scene
                        .get(resolve(aliases, role))
                        .ok_or_else(|| self.unknown("role", role))?;
                    let text = scene.render(value, form, argument, &mut self.dice);
                    text.ok_or_else(|| {
                        self.unknown("form", &format!("{role}.{}", form.unwrap_or("")))
                    })?;
                }
            }
        }
        Ok(())
    }

    fn unknown(&self, kind: &'static str, name: &str) -> GrammarError {
        let key = self.open.last().map_or("titles or outlines", String::as_str);
        GrammarError::unknown(&self.plot.id, key, kind, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEXICON: &str = "[person]\ncolumns = ['word', 'gender']\nrows = 'Ann | she'";

    const PHRASES: &str = "roles = ''\n[rules]\nbye = 'Bye, {who}.'";

    fn plot(outline: &str, rule: &str) -> String {
        format!(
            "weight = 1\ntitles = 'T'\nroles = 'hero = person'\noutlines = ['{outline}']\n[rules]\nsay = '{rule}'"
        )
    }

    fn message(outline: &str, rule: &str) -> String {
        let plot = plot(outline, rule);
        Grammar::parse(LEXICON, PHRASES, &[("p", &plot)])
            .map(drop)
            .map_or_else(|e| e.to_string(), |()| "ok".into())
    }

    #[test]
    fn a_grammar_is_checked_when_it_is_loaded() {
        for (outline, rule, expected) in [
            ("{#say}", "{hero.They} left. {#bye who=hero}", "ok"),
            ("{#say}", "{#bye}", "p, bye: no role is called \"who\""),
            ("{#say}", "{friend} left.", "p, say: no role is called \"friend\""),
            ("{#say}", "{hero.sound}", "p, say: no form is called \"hero.sound\""),
            ("{#say}", "{~stone}", "p, say: no class is called \"stone\""),
            ("{#say}", "{#shout}", "p, say: no rule is called \"shout\""),
            ("{#say}", "[on|{#say}]", "p, say: this rule calls itself"),
            ("{hero}", "x", "p, say: this rule is never used"),
        ] {
            assert_eq!(message(outline, rule), expected);
        }
        let twice = plot("{#say}", "x")
            .replace("hero = person", "hero = person\nhero = person")
            .replace("'hero", "\'\'\'hero")
            .replace("person'", "person\'\'\'");
        let error = Grammar::parse(LEXICON, PHRASES, &[("p", &twice)]).unwrap_err().to_string();
        assert_eq!(error, "p, roles: declared twice in the role \"hero\"");
        let uncast = plot("{#say}", "x").replace("= person", "= animal");
        let error = Grammar::parse(LEXICON, PHRASES, &[("p", &uncast)]).unwrap_err().to_string();
        assert!(error.starts_with("p, roles: the roles cannot be cast"), "{error}");
        let weightless = plot("{#say}", "x").replace("weight = 1", "weight = 0");
        assert!(Grammar::parse(LEXICON, PHRASES, &[("p", &weightless)]).is_err());
    }
}
