"""The page that tells of changes: what counts, and waiting."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from local.control_plane.changes import Changes, is_change, operation_of

from harness.control_plane import ControlPlane

Client = Callable[[str], Any]


@pytest.fixture
def own(control_plane: ControlPlane) -> str:
    return f"{control_plane.url}/_control_plane/changes"


def sequence(page: str) -> int:
    return int(requests.get(page, timeout=5).json()["sequence"])


def test_a_change_is_counted_and_a_read_is_not(own: str, client: Client) -> None:
    apigateway = client("apigateway")
    before = sequence(own)
    api = apigateway.create_rest_api(name="counted")["id"]
    assert sequence(own) == before + 1
    apigateway.get_rest_api(restApiId=api)
    client("ecs").list_clusters()
    client("elbv2").describe_load_balancers()
    client("codedeploy").list_applications()
    assert sequence(own) == before + 1
    apigateway.delete_rest_api(restApiId=api)
    assert sequence(own) == before + 2


def test_a_change_that_was_refused_is_not_counted(own: str, client: Client) -> None:
    before = sequence(own)
    with pytest.raises(ClientError, match="NotFoundException"):
        client("apigateway").delete_rest_api(restApiId="nothing")
    with pytest.raises(ClientError, match="ClusterNotFoundException"):
        client("ecs").create_service(cluster="nothing", serviceName="x")
    assert sequence(own) == before


def test_messages_are_no_changes_but_queues_are(own: str, client: Client) -> None:
    sqs = client("sqs")
    before = sequence(own)
    url = sqs.create_queue(QueueName="counted")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "0"})
    assert sequence(own) == before + 2
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    message = sqs.receive_message(QueueUrl=url)["Messages"][0]
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=1)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    assert sequence(own) == before + 2


def test_every_served_service_is_counted(own: str, client: Client) -> None:
    vpc = client("ec2").create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    before = sequence(own)
    client("ecs").create_cluster(clusterName="counted")
    client("codedeploy").create_application(applicationName="counted", computePlatform="ECS")
    client("codedeploy").delete_application(applicationName="counted")
    client("elbv2").create_target_group(Name="counted", Protocol="HTTP", Port=80, TargetType="ip", VpcId=vpc)
    client("wafv2").create_ip_set(Name="counted", Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=[])
    assert sequence(own) == before + 5


def test_a_reader_is_woken_by_the_change(own: str, client: Client) -> None:
    seen = sequence(own)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(lambda: requests.get(own, params={"after": seen}, timeout=30).json())
        client("ecs").create_cluster(clusterName="wakes")
        assert waiting.result()["sequence"] == seen + 1


def test_a_reader_of_another_life_is_answered_at_once(own: str) -> None:
    assert requests.get(own, params={"after": 1_000_000}, timeout=5).json() == {"sequence": sequence(own)}


def test_what_is_no_sequence_number_is_refused(own: str) -> None:
    response = requests.get(own, params={"after": "soon"}, timeout=5)
    assert (response.status_code, response.json()) == (
        400,
        {"message": "after=soon is not a sequence number: give the `sequence` of the answer before"},
    )


def test_without_a_change_a_reader_is_answered_with_what_it_knows() -> None:
    assert Changes().wait(0, seconds=0) == 0


def test_all_readers_are_woken() -> None:
    changes = Changes()
    started = threading.Barrier(9)
    with ThreadPoolExecutor(8) as pool:
        readers = [pool.submit(lambda: (started.wait(), changes.wait(0, seconds=30))[1]) for _ in range(8)]
        started.wait()
        changes.record()
        assert [reader.result() for reader in readers] == [1] * 8


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/2015-03-31/functions/things/invocations"),
        ("POST", "/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:things/invocations"),
        ("GET", "/2015-03-31/functions"),
    ],
)
def test_running_and_reading_functions_is_no_change(method: str, path: str) -> None:
    assert not is_change("lambda", method, path, None)


def test_test_invoke_method_is_no_change_and_put_method_is() -> None:
    path = "/restapis/abc/resources/def/methods/GET"
    assert not is_change("apigateway", "POST", path, None)
    assert is_change("apigateway", "PUT", path, None)
    assert is_change("apigateway", "POST", "/restapis/abc/deployments", None)


@given(st.sampled_from(["Describe", "List", "Get", "BatchGet"]), st.from_regex(r"[A-Z][a-z]{1,9}", fullmatch=True))
def test_operations_that_read_are_no_changes(verb: str, noun: str) -> None:
    assert not is_change("ecs", "POST", "/", verb + noun)


def test_where_an_operation_is_named() -> None:
    assert operation_of("AmazonEC2ContainerServiceV20141113.CreateService", b"") == "CreateService"
    assert operation_of(None, b"Action=ModifyListener&Version=2015-12-01") == "ModifyListener"
    assert operation_of(None, b"") is None
