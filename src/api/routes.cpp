#include "api/routes.h"

#include "api/handlers.h"

namespace atelier::api {
namespace {

constexpr auto kGet = Method::kGet;
constexpr auto kPost = Method::kPost;
constexpr auto kPut = Method::kPut;
constexpr auto kDelete = Method::kDelete;

constexpr Route Plain(Method method, std::string_view pattern, std::string_view name, Handler handler) {
  Route route{.method = method, .pattern = pattern, .name = name};
  route.handler = handler;
  return route;
}
constexpr Route Json(Method method, std::string_view pattern, std::string_view name, Handler handler) {
  Route route = Plain(method, pattern, name, handler);
  route.body = BodyKind::kJson;
  route.size = BodySize::kJson;
  return route;
}
constexpr Route Upload(std::string_view pattern, std::string_view name, Handler handler, std::string_view file_field,
                       BodySize size) {
  Route route = Plain(kPost, pattern, name, handler);
  route.body = BodyKind::kForm;
  route.size = size;
  route.file_field = file_field;
  return route;
}
constexpr Route Quick(std::string_view pattern, std::string_view name, QuickHandler handler, BodyKind body) {
  Route route{.method = kPost, .pattern = pattern, .name = name};
  route.quick = handler;
  route.body = body;
  route.size = BodySize::kMedia;
  return route;
}

// The first match counts: a literal segment comes before a parameter in its place.
constexpr Route kRoutes[] = {
    Plain(kGet, "/healthz", "healthz", system::Health),
    Plain(kGet, "/readyz", "readyz", system::Ready),
    Plain(kGet, "/metrics", "metrics", system::MetricsText),
    Plain(kGet, "/openapi.yaml", "openapi", system::OpenapiText),

    Quick("/v1/predict", "predict", platform::Predict, BodyKind::kJsonOrForm),
    Quick("/v1/words/nearest", "nearest_words", platform::NearestWords, BodyKind::kJson),
    Quick("/v1/words/analogy", "word_analogy", platform::WordAnalogy, BodyKind::kJson),
    Quick("/v1/words/similarity", "word_similarity", platform::WordSimilarity, BodyKind::kJson),
    Quick("/v1/translate", "translate", platform::Translate, BodyKind::kJson),
    Quick("/v2/models/{model}/infer", "infer", kserve::Infer, BodyKind::kJson),
    Quick("/v2/models/{model}/versions/{version}/infer", "infer", kserve::Infer, BodyKind::kJson),

    Quick("/v1/chat/completions", "chat_completions", openai::ChatCompletions, BodyKind::kJson),
    Quick("/v1/completions", "completions", openai::Completions, BodyKind::kJson),
    Quick("/v1/responses", "responses", openai::Responses, BodyKind::kJson),
    Plain(kGet, "/v1/responses/{id}", "get_response", openai::GetResponse),
    Plain(kDelete, "/v1/responses/{id}", "delete_response", openai::DeleteResponse),
    Quick("/v1/embeddings", "embeddings", openai::Embeddings, BodyKind::kJson),
    Quick("/v1/rerank", "rerank", openai::Rerank, BodyKind::kJson),
    Quick("/tokenize", "tokenize", openai::Tokenize, BodyKind::kJson),
    Quick("/detokenize", "detokenize", openai::Detokenize, BodyKind::kJson),

    Quick("/v1/messages", "messages", anthropic::Messages, BodyKind::kJson),
    Quick("/v1/messages/count_tokens", "count_tokens", anthropic::CountTokens, BodyKind::kJson),

    Quick("/api/chat", "ollama_chat", ollama::Chat, BodyKind::kJson),
    Quick("/api/generate", "ollama_generate", ollama::Generate, BodyKind::kJson),
    Quick("/api/embed", "ollama_embed", ollama::Embed, BodyKind::kJson),
    Quick("/api/embeddings", "ollama_embed", ollama::OldEmbed, BodyKind::kJson),
    Plain(kGet, "/api/tags", "ollama_tags", ollama::Tags),
    Plain(kGet, "/api/ps", "ollama_ps", ollama::Running),
    Json(kPost, "/api/show", "ollama_show", ollama::Show),
    Json(kPost, "/api/pull", "ollama_pull", ollama::Pull),
    Plain(kGet, "/api/version", "ollama_version", ollama::Version),

    Plain(kGet, "/v2", "server_metadata", kserve::ServerMetadata),
    Plain(kGet, "/v2/health/live", "health_live", kserve::Live),
    Plain(kGet, "/v2/health/ready", "health_ready", kserve::Ready),
    Plain(kGet, "/v2/models", "list_served_models", kserve::ListModels),
    Plain(kGet, "/v2/models/{model}", "model_metadata", kserve::ModelMetadata),
    Plain(kGet, "/v2/models/{model}/ready", "model_ready", kserve::ModelReady),
    Plain(kGet, "/v2/models/{model}/versions/{version}", "model_metadata", kserve::ModelMetadata),
    Plain(kGet, "/v2/models/{model}/versions/{version}/ready", "model_ready", kserve::ModelReady),

    Plain(kGet, "/v1/models", "list_models", openai::ListModels),
    Plain(kGet, "/v1/models/{id...}", "get_model", openai::GetModel),

    Upload("/v1/files", "create_file", platform::CreateFile, "file", BodySize::kFile),
    Plain(kGet, "/v1/files", "list_files", platform::ListFiles),
    Plain(kGet, "/v1/files/{id}", "get_file", platform::GetFile),
    Plain(kDelete, "/v1/files/{id}", "delete_file", platform::DeleteFile),
    Plain(kGet, "/v1/files/{id}/content", "file_content", platform::FileContent),

    Json(kPost, "/v1/fine_tuning/jobs", "create_fine_tuning", openai::CreateFineTuning),
    Plain(kGet, "/v1/fine_tuning/jobs", "list_fine_tunings", openai::ListFineTunings),
    Plain(kGet, "/v1/fine_tuning/jobs/{id}", "get_fine_tuning", openai::GetFineTuning),
    Plain(kPost, "/v1/fine_tuning/jobs/{id}/cancel", "cancel_fine_tuning", openai::CancelFineTuning),
    Plain(kPost, "/v1/fine_tuning/jobs/{id}/pause", "pause_fine_tuning", openai::PauseFineTuning),
    Plain(kPost, "/v1/fine_tuning/jobs/{id}/resume", "resume_fine_tuning", openai::ResumeFineTuning),
    Plain(kGet, "/v1/fine_tuning/jobs/{id}/events", "fine_tuning_events", openai::FineTuningEvents),
    Plain(kGet, "/v1/fine_tuning/jobs/{id}/checkpoints", "fine_tuning_checkpoints", openai::FineTuningCheckpoints),

    Json(kPost, "/v1/evals", "create_eval", openai::CreateEval),
    Plain(kGet, "/v1/evals", "list_evals", openai::ListEvals),
    Plain(kGet, "/v1/evals/{id}", "get_eval", openai::GetEval),
    Json(kPost, "/v1/evals/{id}", "update_eval", openai::UpdateEval),
    Plain(kDelete, "/v1/evals/{id}", "delete_eval", openai::DeleteEval),
    Json(kPost, "/v1/evals/{id}/runs", "create_eval_run", openai::CreateEvalRun),
    Plain(kGet, "/v1/evals/{id}/runs", "list_eval_runs", openai::ListEvalRuns),
    Plain(kGet, "/v1/evals/{id}/runs/{run}", "get_eval_run", openai::GetEvalRun),
    Plain(kPost, "/v1/evals/{id}/runs/{run}", "cancel_eval_run", openai::CancelEvalRun),
    Plain(kPost, "/v1/evals/{id}/runs/{run}/cancel", "cancel_eval_run", openai::CancelEvalRun),
    Plain(kDelete, "/v1/evals/{id}/runs/{run}", "delete_eval_run", openai::DeleteEvalRun),
    Plain(kGet, "/v1/evals/{id}/runs/{run}/output_items", "list_output_items", openai::ListOutputItems),
    Plain(kGet, "/v1/evals/{id}/runs/{run}/output_items/{item}", "get_output_item", openai::GetOutputItem),

    Json(kPost, "/v1/uploads", "create_upload", platform::CreateUpload),
    Plain(kGet, "/v1/uploads/{id}", "get_upload", platform::GetUpload),
    Upload("/v1/uploads/{id}/parts", "add_upload_part", platform::AddUploadPart, "data", BodySize::kPart),
    Json(kPost, "/v1/uploads/{id}/complete", "complete_upload", platform::CompleteUpload),
    Plain(kPost, "/v1/uploads/{id}/cancel", "cancel_upload", platform::CancelUpload),

    Json(kPost, "/v1/datasets", "create_dataset", platform::CreateDataset),
    Json(kPost, "/v1/datasets/from-traffic", "dataset_from_traffic", platform::DatasetFromTraffic),
    Plain(kGet, "/v1/datasets", "list_datasets", platform::ListDatasets),
    Plain(kGet, "/v1/datasets/{name}", "get_dataset", platform::GetDataset),
    Plain(kDelete, "/v1/datasets/{name}", "delete_dataset", platform::DeleteDataset),
    Plain(kGet, "/v1/datasets/{name}/versions/{version}", "get_dataset_version", platform::GetDatasetVersion),
    Json(kPost, "/v1/datasets/{name}/split", "split_dataset", platform::SplitDataset),
    Json(kPost, "/v1/datasets/{name}/process", "process_dataset", platform::ProcessDataset),
    Json(kPost, "/v1/datasets/{name}/preview", "preview_dataset", platform::PreviewDataset),
    Plain(kGet, "/v1/steps", "list_steps", platform::ListSteps),

    Plain(kGet, "/v1/traffic", "list_traffic", platform::ListTraffic),
    Plain(kGet, "/v1/traffic/{id}", "get_traffic", platform::GetTraffic),
    Plain(kDelete, "/v1/traffic/{id}", "delete_traffic", platform::DeleteTraffic),
    Json(kPost, "/v1/traffic/{id}/feedback", "give_feedback", platform::GiveFeedback),

    Plain(kGet, "/v1/families", "list_families", platform::ListFamilies),

    Json(kPost, "/v1/jobs", "create_job", platform::CreateJob),
    Plain(kGet, "/v1/jobs", "list_jobs", platform::ListJobs),
    Plain(kGet, "/v1/jobs/{id}", "get_job", platform::GetJob),
    Plain(kPost, "/v1/jobs/{id}/cancel", "cancel_job", platform::CancelJob),
    Plain(kPost, "/v1/jobs/{id}/resume", "resume_job", platform::ResumeJob),
    Plain(kGet, "/v1/jobs/{id}/log", "job_log", platform::JobLog),
    Plain(kGet, "/v1/jobs/{id}/events", "job_events", platform::JobEvents),

    Json(kPost, "/v1/evaluations", "create_evaluation", platform::CreateEvaluation),
    Plain(kGet, "/v1/evaluations", "list_evaluations", platform::ListEvaluations),
    Json(kPost, "/v1/evaluations/compare", "compare_evaluations", platform::CompareEvaluations),
    Plain(kGet, "/v1/evaluations/{id}", "get_evaluation", platform::GetEvaluation),
    Plain(kGet, "/v1/evaluations/{id}/errors", "get_evaluation_errors", platform::GetEvaluationErrors),
    Plain(kGet, "/v1/evaluations/{id}/bias", "get_evaluation_bias", platform::GetEvaluationBias),
    Plain(kGet, "/v1/evaluations/{id}/predictions", "get_evaluation_predictions", platform::GetEvaluationPredictions),

    Plain(kGet, "/v1/registry/models", "list_registered_models", platform::ListRegisteredModels),
    Plain(kGet, "/v1/registry/models/{name}", "get_registered_model", platform::GetRegisteredModel),
    Plain(kDelete, "/v1/registry/models/{name}", "delete_registered_model", platform::DeleteRegisteredModel),
    Plain(kGet, "/v1/registry/models/{name}/versions/{version}", "get_model_version", platform::GetModelVersion),
    Plain(kGet, "/v1/registry/models/{name}/versions/{version}/card", "get_model_card", platform::GetModelCard),
    Plain(kGet, "/v1/registry/models/{name}/versions/{version}/files/{file}", "get_model_file", platform::GetModelFile),
    Json(kPut, "/v1/registry/models/{name}/aliases/{alias}", "set_alias", platform::SetAlias),
    Plain(kDelete, "/v1/registry/models/{name}/aliases/{alias}", "delete_alias", platform::DeleteAlias),

    Json(kPost, "/v1/deployments", "create_deployment", platform::CreateDeployment),
    Plain(kGet, "/v1/deployments", "list_deployments", platform::ListDeployments),
    Plain(kGet, "/v1/deployments/{name}", "get_deployment", platform::GetDeployment),
    Plain(kDelete, "/v1/deployments/{name}", "delete_deployment", platform::DeleteDeployment),
    Plain(kPost, "/v1/deployments/{name}/rollback", "rollback_deployment", platform::RollbackDeployment),

    Json(kPost, "/v1/deployments/{name}/adapters", "create_adapter", platform::CreateAdapter),
    Plain(kGet, "/v1/deployments/{name}/adapters", "list_adapters", platform::ListAdapters),
    Plain(kGet, "/v1/deployments/{name}/adapters/{adapter}", "get_adapter", platform::GetAdapter),
    Plain(kDelete, "/v1/deployments/{name}/adapters/{adapter}", "delete_adapter", platform::DeleteAdapter),
    Json(kPost, "/v1/load_lora_adapter", "load_lora_adapter", platform::LoadLoraAdapter),
    Json(kPost, "/v1/unload_lora_adapter", "unload_lora_adapter", platform::UnloadLoraAdapter),

    Json(kPost, "/v1/text/analyze", "analyze_text", platform::AnalyzeText),
    Json(kPost, "/v1/text/clean", "clean_text", platform::CleanText),
    Json(kPost, "/v1/text/augment", "augment_text", platform::AugmentText),

    Json(kPost, "/v1/keys", "create_key", platform::CreateKey),
    Plain(kGet, "/v1/keys", "list_keys", platform::ListKeys),
    Plain(kDelete, "/v1/keys/{id}", "revoke_key", platform::RevokeKey),
};

}  // namespace

std::span<const Route> Routes() { return kRoutes; }

}  // namespace atelier::api
