//! A Spark Connect server in this process, whose response streams are made up by whoever tests against it.

use crate::proto::{
    self, AnalyzePlanRequest, AnalyzePlanResponse, ExecutePlanRequest, ExecutePlanResponse, InterruptRequest,
    InterruptResponse, ReattachExecuteRequest, ReleaseExecuteRequest, ReleaseExecuteResponse,
    spark_connect_service_server::{SparkConnectService, SparkConnectServiceServer},
};
use futures::stream::BoxStream;
use std::net::{Ipv4Addr, SocketAddr};
use tonic::{Request, Response, Status, metadata::MetadataMap, transport::server::TcpIncoming};

/// The server's own id of every session.
pub(super) const SERVER_SESSION: &str = "server";

pub(super) type Responses = BoxStream<'static, Result<ExecutePlanResponse, Status>>;

/// What the server says to the calls of an execution.
pub(super) trait Script: Clone + Send + Sync + 'static {
    fn execute(&self, request: ExecutePlanRequest) -> Result<Responses, Status>;
    fn reattach(&self, request: ReattachExecuteRequest) -> Result<Responses, Status>;
    fn release(&self, request: ReleaseExecuteRequest);
    fn interrupt(&self, request: &InterruptRequest);

    fn analyze(&self, _: &AnalyzePlanRequest, _: &MetadataMap) {}

    /// What every question for settings is answered.
    fn settings(&self) -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }
}

/// Serves on a free port, which it gives, for as long as the runtime lives.
pub(super) fn serve(script: impl Script) -> std::io::Result<u16> {
    let incoming = TcpIncoming::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?.with_nodelay(Some(true));
    let port = incoming.local_addr()?.port();
    let service = SparkConnectServiceServer::new(Scripted(script));
    tokio::spawn(tonic::transport::Server::builder().serve_with_incoming(service, incoming));
    Ok(port)
}

struct Scripted<S>(S);

#[tonic::async_trait]
impl<S: Script> SparkConnectService for Scripted<S> {
    type ExecutePlanStream = Responses;
    type ReattachExecuteStream = Responses;

    async fn execute_plan(
        &self,
        request: Request<ExecutePlanRequest>,
    ) -> Result<Response<Responses>, Status> {
        self.0.execute(request.into_inner()).map(Response::new)
    }

    async fn reattach_execute(
        &self,
        request: Request<ReattachExecuteRequest>,
    ) -> Result<Response<Responses>, Status> {
        self.0.reattach(request.into_inner()).map(Response::new)
    }

    async fn release_execute(
        &self,
        request: Request<ReleaseExecuteRequest>,
    ) -> Result<Response<ReleaseExecuteResponse>, Status> {
        self.0.release(request.into_inner());
        Ok(Response::new(ReleaseExecuteResponse::default()))
    }

    async fn interrupt(
        &self,
        request: Request<InterruptRequest>,
    ) -> Result<Response<InterruptResponse>, Status> {
        self.0.interrupt(request.get_ref());
        let session_id = request.into_inner().session_id;
        Ok(Response::new(InterruptResponse { session_id, ..Default::default() }))
    }

    /// Every question is taken for the one for the version.
    async fn analyze_plan(
        &self,
        request: Request<AnalyzePlanRequest>,
    ) -> Result<Response<AnalyzePlanResponse>, Status> {
        self.0.analyze(request.get_ref(), request.metadata());
        let version = proto::analyze_plan_response::SparkVersion { version: "4.2.0".to_owned() };
        Ok(Response::new(AnalyzePlanResponse {
            session_id: request.into_inner().session_id,
            server_side_session_id: SERVER_SESSION.to_owned(),
            result: Some(proto::analyze_plan_response::Result::SparkVersion(version)),
        }))
    }

    async fn config(
        &self,
        request: Request<proto::ConfigRequest>,
    ) -> Result<Response<proto::ConfigResponse>, Status> {
        let pair = |(key, value): (&str, &str)| proto::KeyValue {
            key: key.to_owned(),
            value: Some(value.to_owned()),
        };
        Ok(Response::new(proto::ConfigResponse {
            session_id: request.into_inner().session_id,
            server_side_session_id: SERVER_SESSION.to_owned(),
            pairs: self.0.settings().into_iter().map(pair).collect(),
            ..Default::default()
        }))
    }

    async fn add_artifacts(
        &self,
        _: Request<tonic::Streaming<proto::AddArtifactsRequest>>,
    ) -> Result<Response<proto::AddArtifactsResponse>, Status> {
        Err(Status::unimplemented("add_artifacts"))
    }

    async fn artifact_status(
        &self,
        _: Request<proto::ArtifactStatusesRequest>,
    ) -> Result<Response<proto::ArtifactStatusesResponse>, Status> {
        Err(Status::unimplemented("artifact_status"))
    }

    async fn release_session(
        &self,
        _: Request<proto::ReleaseSessionRequest>,
    ) -> Result<Response<proto::ReleaseSessionResponse>, Status> {
        Err(Status::unimplemented("release_session"))
    }

    async fn fetch_error_details(
        &self,
        _: Request<proto::FetchErrorDetailsRequest>,
    ) -> Result<Response<proto::FetchErrorDetailsResponse>, Status> {
        Err(Status::unimplemented("fetch_error_details"))
    }

    async fn clone_session(
        &self,
        _: Request<proto::CloneSessionRequest>,
    ) -> Result<Response<proto::CloneSessionResponse>, Status> {
        Err(Status::unimplemented("clone_session"))
    }

    async fn get_status(
        &self,
        _: Request<proto::GetStatusRequest>,
    ) -> Result<Response<proto::GetStatusResponse>, Status> {
        Err(Status::unimplemented("get_status"))
    }
}
