import os
from pathlib import Path
import pytest
from local_spark.cluster import Cluster
from tests import sample
from tests.dialect.second_engine import build_on_postgres
from tests.dialect.test_engines import computed
from tests.spark import engine
def test_dev(database):
    c=Cluster("127.0.0.1",11000,Path("/tmp/sparkdev/server"),{})
    given = sample.app_tables(), {"as_of": sample.AS_OF.isoformat()}, computed(1)
    build_on_postgres(database, *given)
    if os.environ.get("BUILD"): engine.build_on_spark(c,*given)
    found={k:v for k,v in engine.differences(database,c).items() if v}
    for k,v in found.items(): print(v[:3000]); print()
    print("DIFFERENT", list(found))
    assert not found
