//! Settings of what counts as a mistake, and how much: weights of the tasks, losses, rare classes.

use super::row::{Pick, Row, choice, number, pick, switch};
use crate::train::{NumberLoss, Sampling, TaskWeights};

const SAMPLING: &[Pick] = &[
    pick!("All alike", "Every review once an epoch", sampling = Sampling::Off),
    pick!("Rare ones more often", "Reviews of rare classes as often as those of the commonest: longer epochs", sampling = Sampling::Over),
    pick!("Common ones less", "Of each class as many reviews an epoch as the rarest has: short epochs", sampling = Sampling::Under),
];

const TASK_WEIGHTS: &[Pick] = &[
    pick!("As set", "The weights below", task_weights = TaskWeights::Fixed),
    pick!("Learnt", "The run learns how much each task counts, by how uncertain it is", task_weights = TaskWeights::Uncertainty),
];

const NUMBER_LOSSES: &[Pick] = &[
    pick!("By distance", "The squared distance from the right number: right for fine scales", number_loss = NumberLoss::Squared),
    pick!(
        "By steps",
        "Step by step whether the answer lies beyond it: often better for ratings of a few stars",
        number_loss = NumberLoss::Ordinal
    ),
];

pub(super) const ROWS: &[Row] = &[
    switch("Weigh rare classes up", "Mistakes on rare classes count for more. Helps when one class has most of the reviews.", |config| {
        &mut config.class_weights
    }),
    number(
        "By effective number",
        "0 weighs by how rare a class is; 0.99 to 0.9999 less and less gently, since more reviews of a class say ever less that is new",
        (0.0, 0.999_999),
        6,
        |config| &mut config.class_weight_beta,
    )
    .when(|config| config.class_weights),
    choice("Rare classes", "Whether reviews of rare classes are read more often; another way against one class having most", SAMPLING),
    number(
        "Label smoothing",
        "Share of each answer that is spread over all classes: a model that is less sure of itself. 0.05 to 0.1 pay where labels have mistakes",
        (0.0, 0.9),
        2,
        |config| &mut config.label_smoothing,
    ),
    number(
        "Focal loss",
        "How much less counts what is answered rightly already: 1 to 2 pay where one class has most of the reviews; 0 is off",
        (0.0, 10.0),
        2,
        |config| &mut config.focal_gamma,
    ),
    choice("Weights of the tasks", "Who says how much spans, polarity, links and other questions count beside the class", TASK_WEIGHTS),
    number("Weight of spans", "How much the span loss counts beside the class loss", (0.0, 10.0), 2, |config| &mut config.span_loss_weight),
    number(
        "Weight of polarity",
        "How much the polarity of spans and links counts beside the class loss; 0 learns none",
        (0.0, 10.0),
        2,
        |config| &mut config.polarity_loss_weight,
    ),
    number("Weight of links", "How much it counts which opinion belongs to which aspect; 0 learns none", (0.0, 10.0), 2, |config| {
        &mut config.link_loss_weight
    }),
    number(
        "Weight of other questions",
        "How much questions with several labels or a number count beside the class loss; 0 learns none",
        (0.0, 10.0),
        2,
        |config| &mut config.question_loss_weight,
    ),
    choice("Numbers are learnt", "What counts as near for a question whose answer is a number", NUMBER_LOSSES),
];
