//! Answers that were given lately: at most so many.

use crate::answer::FeatureAnswer;
use crate::question::Question;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// The latest answer to each question.
pub(crate) struct AnswerMemory {
    most: usize,
    answers: HashMap<Question, (Instant, FeatureAnswer)>,
}

impl AnswerMemory {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            answers: HashMap::new(),
        }
    }

    /// An answer that is younger than this and still holds, and its age.
    pub(crate) fn fresh(
        &self,
        question: &Question,
        lasts: Duration,
        now: Instant,
    ) -> Option<(FeatureAnswer, Duration)> {
        let (at, answer) = self.answers.get(question)?;
        let age = now.saturating_duration_since(*at);
        let holds = age < lasts && answer.holds_after(age);
        holds.then(|| (answer.clone(), age))
    }

    /// Keeps an answer. Where there is no room, the older half goes.
    pub(crate) fn keep(&mut self, question: Question, answer: FeatureAnswer, now: Instant) {
        if self.answers.len() >= self.most && !self.answers.contains_key(&question) {
            let mut given: Vec<Instant> = self.answers.values().map(|(at, _)| *at).collect();
            given.sort_unstable();
            let middle = given.get(given.len().div_euclid(2)).copied();
            self.answers
                .retain(|_, (at, _)| middle.is_some_and(|middle| *at > middle));
        }
        if self.most > 0 {
            self.answers.insert(question, (now, answer));
        }
    }

    /// How many are remembered.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.answers.len()
    }
}
