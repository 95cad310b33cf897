//! Tells one story: expands templates with the words of its scene.

use super::english::capitalise;
use super::grammar::{Aliases, Grammar, Plot, resolve, resolve_all};
use super::scene::{Scene, render_any};
use super::template::{Call, Node, Slot, Source, Template};
use crate::dice::Dice;

/// The grammar, the plot and the scene of one story, and the dice that pick among alternatives.
pub(super) struct Teller<'a> {
    grammar: &'a Grammar,
    plot: &'a Plot,
    scene: &'a Scene,
    dice: &'a mut Dice,
}

impl<'a> Teller<'a> {
    pub fn new(grammar: &'a Grammar, plot: &'a Plot, scene: &'a Scene, dice: &'a mut Dice) -> Self {
        Self { grammar, plot, scene, dice }
    }

    /// Writes `template` out, with single spaces between words.
    pub fn tell(&mut self, template: &Template) -> String {
        let mut out = String::new();
        self.write(template, &Aliases::new(), &mut out);
        out.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn write(&mut self, template: &Template, aliases: &Aliases, out: &mut String) {
        for node in &template.0 {
            match node {
                Node::Text(text) => out.push_str(text),
                Node::Choice(alternatives) => {
                    let picked = self.dice.pick(alternatives);
                    self.write(picked, aliases, out);
                }
                Node::Slot(slot) => self.slot(slot, aliases, out),
                Node::Call(call) => self.call(call, aliases, out),
            }
        }
    }

    fn call(&mut self, call: &Call, aliases: &Aliases, out: &mut String) {
        let alternatives = self
            .grammar
            .rule(self.plot, &call.rule)
            .expect("`Grammar::check` looked every rule up");
        let picked = self.dice.pick(alternatives);
        let mut text = String::new();
        self.write(picked, &resolve_all(call, aliases), &mut text);
        push(text, call.capital, out);
    }

    fn slot(&mut self, slot: &Slot, aliases: &Aliases, out: &mut String) {
        let form = slot.form.as_deref();
        let text = match &slot.source {
            Source::AnyOf(class) => {
                let entries = self
                    .grammar
                    .lexicon
                    .class(class)
                    .expect("`Grammar::check` looked every class up");
                let entry = self.dice.pick(entries);
                render_any(entry, form, self.dice)
            }
            Source::Role(role) => {
                let value = self
                    .scene
                    .get(resolve(aliases, role))
                    .expect("`Grammar::check` looked every role up");
                let argument = slot.argument.as_deref().map(|role| resolve(aliases, role));
                self.scene.render(value, form, argument, self.dice)
            }
        };
        push(text.expect("`Grammar::check` rendered every slot"), slot.capital, out);
    }
}

fn push(text: String, capital: bool, out: &mut String) {
    out.push_str(&if capital { capitalise(&text) } else { text });
}
