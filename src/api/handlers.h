// All handlers; routes.cpp gives each its route. A file a noun implements them, under the folder of its group.
#pragma once

#include "api/routes.h"

namespace atelier::api::system {
Result<Response> Health(const Services&, Request&);
Result<Response> Ready(const Services&, Request&);
Result<Response> MetricsText(const Services&, Request&);
Result<Response> OpenapiText(const Services&, Request&);
}  // namespace atelier::api::system

namespace atelier::api::openai {
Result<Response> ListModels(const Services&, Request&);
Result<Response> GetModel(const Services&, Request&);
Status ChatCompletions(const Services&, Request&, Done);
Status Completions(const Services&, Request&, Done);
Status Responses(const Services&, Request&, Done);
Result<Response> GetResponse(const Services&, Request&);
Result<Response> DeleteResponse(const Services&, Request&);
Status Embeddings(const Services&, Request&, Done);
Status Rerank(const Services&, Request&, Done);
Status Tokenize(const Services&, Request&, Done);
Status Detokenize(const Services&, Request&, Done);

Result<Response> CreateFineTuning(const Services&, Request&);
Result<Response> ListFineTunings(const Services&, Request&);
Result<Response> GetFineTuning(const Services&, Request&);
Result<Response> CancelFineTuning(const Services&, Request&);
Result<Response> PauseFineTuning(const Services&, Request&);
Result<Response> ResumeFineTuning(const Services&, Request&);
Result<Response> FineTuningEvents(const Services&, Request&);
Result<Response> FineTuningCheckpoints(const Services&, Request&);

Result<Response> CreateEval(const Services&, Request&);
Result<Response> ListEvals(const Services&, Request&);
Result<Response> GetEval(const Services&, Request&);
Result<Response> UpdateEval(const Services&, Request&);
Result<Response> DeleteEval(const Services&, Request&);
Result<Response> CreateEvalRun(const Services&, Request&);
Result<Response> ListEvalRuns(const Services&, Request&);
Result<Response> GetEvalRun(const Services&, Request&);
Result<Response> CancelEvalRun(const Services&, Request&);
Result<Response> DeleteEvalRun(const Services&, Request&);
Result<Response> ListOutputItems(const Services&, Request&);
Result<Response> GetOutputItem(const Services&, Request&);
}  // namespace atelier::api::openai

namespace atelier::api::anthropic {
Status Messages(const Services&, Request&, Done);
Status CountTokens(const Services&, Request&, Done);
}  // namespace atelier::api::anthropic

namespace atelier::api::ollama {
Status Chat(const Services&, Request&, Done);
Status Generate(const Services&, Request&, Done);
Status Embed(const Services&, Request&, Done);
Status OldEmbed(const Services&, Request&, Done);
Result<Response> Tags(const Services&, Request&);
Result<Response> Running(const Services&, Request&);
Result<Response> Show(const Services&, Request&);
Result<Response> Version(const Services&, Request&);
Result<Response> Pull(const Services&, Request&);
}  // namespace atelier::api::ollama

namespace atelier::api::kserve {
Result<Response> ServerMetadata(const Services&, Request&);
Result<Response> Live(const Services&, Request&);
Result<Response> Ready(const Services&, Request&);
Result<Response> ListModels(const Services&, Request&);
Result<Response> ModelMetadata(const Services&, Request&);
Result<Response> ModelReady(const Services&, Request&);
Status Infer(const Services&, Request&, Done);
}  // namespace atelier::api::kserve

namespace atelier::api::platform {
Result<Response> ListFamilies(const Services&, Request&);

Result<Response> CreateFile(const Services&, Request&);
Result<Response> ListFiles(const Services&, Request&);
Result<Response> GetFile(const Services&, Request&);
Result<Response> FileContent(const Services&, Request&);
Result<Response> DeleteFile(const Services&, Request&);

Result<Response> CreateUpload(const Services&, Request&);
Result<Response> GetUpload(const Services&, Request&);
Result<Response> AddUploadPart(const Services&, Request&);
Result<Response> CompleteUpload(const Services&, Request&);
Result<Response> CancelUpload(const Services&, Request&);

Result<Response> CreateDataset(const Services&, Request&);
Result<Response> ListDatasets(const Services&, Request&);
Result<Response> GetDataset(const Services&, Request&);
Result<Response> GetDatasetVersion(const Services&, Request&);
Result<Response> SplitDataset(const Services&, Request&);
Result<Response> ProcessDataset(const Services&, Request&);
Result<Response> PreviewDataset(const Services&, Request&);
Result<Response> ListSteps(const Services&, Request&);
Result<Response> DeleteDataset(const Services&, Request&);
Result<Response> DatasetFromTraffic(const Services&, Request&);

Result<Response> ListTraffic(const Services&, Request&);
Result<Response> GetTraffic(const Services&, Request&);
Result<Response> DeleteTraffic(const Services&, Request&);
Result<Response> GiveFeedback(const Services&, Request&);

Result<Response> CreateJob(const Services&, Request&);
Result<Response> ListJobs(const Services&, Request&);
Result<Response> GetJob(const Services&, Request&);
Result<Response> CancelJob(const Services&, Request&);
Result<Response> ResumeJob(const Services&, Request&);
Result<Response> JobLog(const Services&, Request&);
Result<Response> JobEvents(const Services&, Request&);

Result<Response> CreateEvaluation(const Services&, Request&);
Result<Response> ListEvaluations(const Services&, Request&);
Result<Response> GetEvaluation(const Services&, Request&);
Result<Response> GetEvaluationErrors(const Services&, Request&);
Result<Response> GetEvaluationBias(const Services&, Request&);
Result<Response> GetEvaluationPredictions(const Services&, Request&);
Result<Response> CompareEvaluations(const Services&, Request&);

Result<Response> ListRegisteredModels(const Services&, Request&);
Result<Response> GetRegisteredModel(const Services&, Request&);
Result<Response> GetModelVersion(const Services&, Request&);
Result<Response> GetModelCard(const Services&, Request&);
Result<Response> GetModelFile(const Services&, Request&);
Result<Response> DeleteRegisteredModel(const Services&, Request&);
Result<Response> SetAlias(const Services&, Request&);
Result<Response> DeleteAlias(const Services&, Request&);

Result<Response> CreateDeployment(const Services&, Request&);
Result<Response> ListDeployments(const Services&, Request&);
Result<Response> GetDeployment(const Services&, Request&);
Result<Response> DeleteDeployment(const Services&, Request&);
Result<Response> RollbackDeployment(const Services&, Request&);

Result<Response> CreateAdapter(const Services&, Request&);
Result<Response> ListAdapters(const Services&, Request&);
Result<Response> GetAdapter(const Services&, Request&);
Result<Response> DeleteAdapter(const Services&, Request&);
Result<Response> LoadLoraAdapter(const Services&, Request&);
Result<Response> UnloadLoraAdapter(const Services&, Request&);

Result<Response> CreateKey(const Services&, Request&);
Result<Response> ListKeys(const Services&, Request&);
Result<Response> RevokeKey(const Services&, Request&);

Status Predict(const Services&, Request&, Done);
Status NearestWords(const Services&, Request&, Done);
Status WordAnalogy(const Services&, Request&, Done);
Status WordSimilarity(const Services&, Request&, Done);
Status Translate(const Services&, Request&, Done);

Result<Response> AnalyzeText(const Services&, Request&);
Result<Response> CleanText(const Services&, Request&);
Result<Response> AugmentText(const Services&, Request&);
}  // namespace atelier::api::platform
