BEGIN TRANSACTION;
CREATE TABLE api_keys (
	id VARCHAR NOT NULL, 
	user_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	secret_hash VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	expires_at VARCHAR NOT NULL, 
	revoked_at VARCHAR, 
	last_used_at VARCHAR, 
	PRIMARY KEY (id), 
	FOREIGN KEY(user_id) REFERENCES users (id)
);
INSERT INTO "api_keys" VALUES('91e76cd3-1a77-4a9d-bf0f-ac6b9d1cb343','985dce85-1db1-4fdc-8220-8f443be8553f','client.env','c77cebcddd11703a521c4023292b506319d69a7db5ff9611520f18b693f9f0c4','2026-11-28T16:31:38.386421+00:00','2036-11-25T16:31:38.386421+00:00',NULL,'2026-11-28T16:31:38.601120+00:00');
CREATE TABLE events (
	sequence INTEGER NOT NULL, 
	id VARCHAR NOT NULL, 
	user_id VARCHAR NOT NULL, 
	verb VARCHAR NOT NULL, 
	object_id VARCHAR, 
	object_type VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	PRIMARY KEY (sequence), 
	UNIQUE (id), 
	FOREIGN KEY(user_id) REFERENCES users (id)
);
INSERT INTO "events" VALUES(1,'80594262-a40a-4bff-9d8d-f542591c2891','985dce85-1db1-4fdc-8220-8f443be8553f','create','be4ee5b8-8af8-4ba8-8c29-5c793c721419','resource','2026-11-28T16:31:38.644323+00:00');
INSERT INTO "events" VALUES(2,'a6bfa06e-c01e-47e9-ae68-9be45d490120','985dce85-1db1-4fdc-8220-8f443be8553f','create','a10d14e9-a398-4f33-a6c2-c6aafb67f386','job','2026-11-28T16:31:38.668984+00:00');
CREATE TABLE inputs (
	set_id VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	blob VARCHAR NOT NULL, 
	PRIMARY KEY (set_id, "key"), 
	FOREIGN KEY(set_id) REFERENCES sets (id)
);
INSERT INTO "inputs" VALUES('be4ee5b8-8af8-4ba8-8c29-5c793c721419','3650d/people.csv','37e0c3e41876449faa8a006f54e9faad');
CREATE TABLE job_parents (
	job VARCHAR NOT NULL, 
	parent VARCHAR NOT NULL, 
	position INTEGER NOT NULL, 
	PRIMARY KEY (job, parent), 
	FOREIGN KEY(job) REFERENCES jobs (name), 
	FOREIGN KEY(parent) REFERENCES jobs (name)
);
CREATE TABLE jobs (
	sequence INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	user_id VARCHAR NOT NULL, 
	set_id VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	parameters_name VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	exception TEXT NOT NULL, 
	progress FLOAT, 
	created_at VARCHAR NOT NULL, 
	finished_at VARCHAR, 
	deleted_at VARCHAR, 
	cancel_requested BOOLEAN NOT NULL, 
	attempts INTEGER NOT NULL, 
	lease_owner VARCHAR, 
	lease_expires FLOAT, 
	PRIMARY KEY (sequence), 
	UNIQUE (name), 
	FOREIGN KEY(user_id) REFERENCES users (id), 
	FOREIGN KEY(set_id) REFERENCES sets (id)
);
INSERT INTO "jobs" VALUES(1,'a10d14e9-a398-4f33-a6c2-c6aafb67f386','985dce85-1db1-4fdc-8220-8f443be8553f','be4ee5b8-8af8-4ba8-8c29-5c793c721419','standard','standard','finished','',1.0,'2026-11-28T16:31:38.662472+00:00','2026-11-28T16:31:41.176153+00:00',NULL,0,1,NULL,NULL);
CREATE TABLE objects (
	bucket VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	blob VARCHAR NOT NULL, 
	size BIGINT NOT NULL, 
	etag VARCHAR NOT NULL, 
	content_type VARCHAR NOT NULL, 
	modified_at VARCHAR NOT NULL, 
	PRIMARY KEY (bucket, "key"), 
	FOREIGN KEY(bucket) REFERENCES users (id)
);
INSERT INTO "objects" VALUES('985dce85-1db1-4fdc-8220-8f443be8553f','3650d/people.csv','37e0c3e41876449faa8a006f54e9faad',303,'bdd9454de5cb302ac767c1aae198bcdc','application/octet-stream','2026-11-28T16:31:38.629169+00:00');
INSERT INTO "objects" VALUES('985dce85-1db1-4fdc-8220-8f443be8553f','3650d/results/be4ee5b8-8af8-4ba8-8c29-5c793c721419/a10d14e9-a398-4f33-a6c2-c6aafb67f386/people.shuffled-0.csv','002e8c8dc95740c086c7ab7453679b4d',354,'b869b81c913e9b70e0a8f3ed0966182d','text/csv; charset=utf-8','2026-11-28T16:31:41.162717+00:00');
CREATE TABLE results (
	job VARCHAR NOT NULL, 
	position INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	PRIMARY KEY (job, position), 
	FOREIGN KEY(job) REFERENCES jobs (name)
);
INSERT INTO "results" VALUES('a10d14e9-a398-4f33-a6c2-c6aafb67f386',0,'shuffled','3650d/results/be4ee5b8-8af8-4ba8-8c29-5c793c721419/a10d14e9-a398-4f33-a6c2-c6aafb67f386/people.shuffled-0.csv');
CREATE TABLE sets (
	sequence INTEGER NOT NULL, 
	id VARCHAR NOT NULL, 
	user_id VARCHAR NOT NULL, 
	display_name VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	documents TEXT NOT NULL, 
	PRIMARY KEY (sequence), 
	UNIQUE (id), 
	FOREIGN KEY(user_id) REFERENCES users (id)
);
INSERT INTO "sets" VALUES(1,'be4ee5b8-8af8-4ba8-8c29-5c793c721419','985dce85-1db1-4fdc-8220-8f443be8553f','old-set','2026-11-28T16:31:38.643661+00:00','{"kind": "AvatarMetadata", "metadata": {"name": "avatar-metadata-x"}, "spec": {"display_name": "x"}, "annotations": {"avatar-gitops/spec-digest": "sha256:0123abcd"}}

---
{"kind": "AvatarSchema", "metadata": {"name": "schema"}, "spec": {"tables": [{"name": "people", "data": {"volume": "input", "file": "people.csv"}}]}}

---
{"kind": "AvatarSchema", "metadata": {"name": "schema_avatarized"}, "spec": {"tables": [{"name": "people", "avatars_data": {"auto": true}}], "schema_ref": "schema"}}

---
{"kind": "AvatarParameters", "metadata": {"name": "standard"}, "spec": {"schema": "schema", "avatarization": {"people": {"k": 5}}, "seed": 11}}
');
CREATE TABLE upload_parts (
	upload_id VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	blob VARCHAR NOT NULL, 
	size BIGINT NOT NULL, 
	etag VARCHAR NOT NULL, 
	PRIMARY KEY (upload_id, number), 
	FOREIGN KEY(upload_id) REFERENCES uploads (id) ON DELETE CASCADE
);
CREATE TABLE uploads (
	id VARCHAR NOT NULL, 
	bucket VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	content_type VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(bucket) REFERENCES users (id)
);
CREATE TABLE users (
	id VARCHAR NOT NULL, 
	organization_id VARCHAR NOT NULL, 
	email VARCHAR NOT NULL, 
	role VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (email)
);
INSERT INTO "users" VALUES('985dce85-1db1-4fdc-8220-8f443be8553f','96d66e52-a741-46d9-8e36-24bf14057c50','administrator@localhost','admin','2026-11-28T16:31:38.385818+00:00');
CREATE INDEX ix_objects_blob ON objects (blob);
CREATE INDEX ix_events_user_id ON events (user_id);
CREATE INDEX ix_inputs_blob ON inputs (blob);
CREATE INDEX ix_upload_parts_blob ON upload_parts (blob);
CREATE INDEX ix_jobs_set_id ON jobs (set_id);
CREATE INDEX ix_jobs_status ON jobs (status);
CREATE INDEX ix_job_parents_parent ON job_parents (parent);
COMMIT;
