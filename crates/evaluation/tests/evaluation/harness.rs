//! Every task that comes with the crate, on its data, asked of a model that follows a script.

use wuji_evaluation::comparison::Correction;
use wuji_evaluation::harness::{
    Cache, LanguageModel, Library, PrepareOptions, PreparedTask, Request, RequestSpec, Results,
    RunOptions, RunReport, compare_runs, page, run_task,
};
use wuji_evaluation::uncertainty::BootstrapOptions;
use wuji_protocol::testing::ScriptedModel;

use crate::golden::shared_data;

const FEW: RunOptions = RunOptions {
    prepare: PrepareOptions { limit: Some(4), few_shot: None, seed: 1 },
    bootstrap: BootstrapOptions { resamples: 50, confidence: 0.95, seed: 1 },
    without_floors: true,
};

/// Likes short continuations.
fn model() -> ScriptedModel {
    ScriptedModel::fixed("the answer is 12\n").with_score(|_, text| -(text.len() as f64))
}

#[test]
fn every_task_can_be_asked_and_judged() {
    let Some(root) = shared_data() else { return };
    for task in Library::embedded().unwrap().tasks() {
        let model = model();
        let mut answerer = LanguageModel::new("script", &model, Cache::in_memory());
        let outcome = run_task(task, &root, &mut answerer, &FEW, &|| 0.0, &mut |_, _| {});
        let outcome = outcome.unwrap_or_else(|error| panic!("{}: {error}", task.id));
        assert_eq!(outcome.report.skipped, None, "{}", task.id);
        let answered = &outcome.report.answerers[0];
        let is_tagging = matches!(task.request, RequestSpec::Tagging { .. });
        assert_eq!(answered.skipped.is_some(), is_tagging, "{}", task.id);
        let finite = answered.scores.iter().all(|score| score.estimate.value.is_finite());
        assert!(finite && (is_tagging || !answered.scores.is_empty()), "{}", task.id);
    }
}

#[test]
fn questions_are_put_as_lm_evaluation_harness_puts_them() {
    let Some(root) = shared_data() else { return };
    let library = Library::embedded().unwrap();
    let first = |task: &str, few_shot: usize| {
        let file = library.find(task).unwrap()[0];
        let options = PrepareOptions { few_shot: Some(few_shot), ..Default::default() };
        let task = PreparedTask::new(file, &root, options).unwrap();
        match task.items[0].request.clone() {
            Request::Choice { likelihoods, .. } => likelihoods,
            other => panic!("{other:?}"),
        }
    };
    let winogrande = first("winogrande", 0);
    assert_eq!(winogrande[1].context, "Sarah was a much better surgeon than Maria so Maria");
    assert_eq!(winogrande[1].continuation, " always got the easier cases.");
    let copa = first("copa", 0);
    assert_eq!(copa[1].context, "The man turned on the faucet therefore");
    assert_eq!(copa[1].continuation, " water flowed from the spout.");
    let mmlu = first("mmlu", 1);
    let head =
        "The following are multiple choice questions (with answers) about abstract algebra.\n\n";
    assert!(mmlu[0].context.starts_with(head), "{}", mmlu[0].context);
    assert!(
        mmlu[0].context.contains("\nD. 3\nAnswer: B\n\nFind the degree"),
        "{}",
        mmlu[0].context
    );
    assert_eq!((mmlu.len(), mmlu[3].continuation.as_str()), (4, " D"));
    let boolq = first("boolq", 0);
    assert!(boolq[0].context.ends_with("that produces?\nAnswer:"), "{}", boolq[0].context);
}

#[test]
fn a_run_is_kept_goes_on_where_it_was_and_is_compared() {
    let Some(root) = shared_data() else { return };
    let library = Library::embedded().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let run = |name: &str, model: &ScriptedModel| {
        let results = Results::create(&dir.path().join(name)).unwrap();
        let cache = Cache::open(&results.answers(), name).unwrap();
        let mut answerer = LanguageModel::new(name, model, cache);
        let mut tasks = Vec::new();
        let mut documents = Vec::new();
        let options = RunOptions {
            prepare: PrepareOptions { limit: Some(40), ..FEW.prepare },
            without_floors: false,
            ..FEW
        };
        for task in ["phrasebank", "piqa", "wnut17"].map(|task| library.find(task).unwrap()[0]) {
            let outcome =
                run_task(task, &root, &mut answerer, &options, &|| 0.0, &mut |_, _| {}).unwrap();
            results.write_documents(outcome.documents.as_ref().unwrap()).unwrap();
            tasks.push(outcome.report);
            documents.extend(outcome.documents);
        }
        let report = RunReport {
            model: name.to_owned(),
            fingerprint: name.to_owned(),
            version: "0".to_owned(),
            seed: 1,
            limit: Some(40),
            tasks,
        };
        results.write_report(&report).unwrap();
        let html = page(&report, &documents).unwrap();
        assert!(html.contains("PhraseBank") && html.contains("cannot answer such questions"));
        (results, report)
    };
    let (short, report) = run("short", &model());
    let labels = &report.tasks[0];
    assert_eq!(
        labels.answerers.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(),
        ["short", "majority", "tf-idf"]
    );
    assert!(labels.answerers[2].scores[0].estimate.value > 0.6, "TF-IDF learns something");
    assert_eq!(labels.comparisons.len(), 2);
    let asked = std::fs::read_to_string(short.answers()).unwrap().lines().count();
    assert_eq!(asked, 3 * 40 + 2 * 40);
    // Again, by a model that fails whenever it is asked: every answer is known.
    let (_, again) =
        run("short", &ScriptedModel::fixed("").with_score(|_, _| panic!("asked again")));
    assert_eq!(again, report);
    let long = ScriptedModel::fixed("").with_score(|_, text| text.len() as f64 - 1000.0);
    let (long, _) = run("long", &long);
    let options = BootstrapOptions::default();
    let compared = compare_runs(&short, &long, &options, Correction::Holm).unwrap();
    assert_eq!(compared.comparisons[0].name, "phrasebank: acc");
    assert!(
        compared.comparisons[0].difference.value > 0.0,
        "most sentences are neutral, the shortest word"
    );
    assert_eq!(compared.left_out[0].0, "wnut17");
}

#[test]
fn absent_data_is_said_to_be_absent() {
    let library = Library::embedded().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let model = model();
    let mut answerer = LanguageModel::new("script", &model, Cache::in_memory());
    let task = library.find("piqa").unwrap()[0];
    let outcome = run_task(task, dir.path(), &mut answerer, &FEW, &|| 0.0, &mut |_, _| {}).unwrap();
    let skipped = outcome.report.skipped.unwrap();
    assert_eq!(skipped, "data absent: evaluation/commonsense-suite/piqa.jsonl.gz");
    assert!(outcome.documents.is_none());
}
