BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('v3.2.0.a');
CREATE TABLE studies (
	study_id INTEGER NOT NULL, 
	study_name VARCHAR(512) NOT NULL, 
	PRIMARY KEY (study_id)
);
INSERT INTO "studies" VALUES(1,'bowl');
CREATE TABLE study_directions (
	study_direction_id INTEGER NOT NULL, 
	direction VARCHAR(8) NOT NULL, 
	study_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	PRIMARY KEY (study_direction_id), 
	UNIQUE (study_id, objective), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_directions" VALUES(1,'MINIMIZE',1,0);
CREATE TABLE study_system_attributes (
	study_system_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_system_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE TABLE study_user_attributes (
	study_user_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_user_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_user_attributes" VALUES(1,1,'fingerprint','"c3e547b1606fbb53121bb0911b5b61821dfcf32c02cfc89b33ce469fd32ae417"');
CREATE TABLE trial_heartbeats (
	trial_heartbeat_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	heartbeat DATETIME NOT NULL, 
	PRIMARY KEY (trial_heartbeat_id), 
	UNIQUE (trial_id), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_heartbeats" VALUES(1,1,'2026-11-30 14:11:29');
INSERT INTO "trial_heartbeats" VALUES(2,2,'2026-11-30 14:11:30');
INSERT INTO "trial_heartbeats" VALUES(3,3,'2026-11-30 14:11:30');
INSERT INTO "trial_heartbeats" VALUES(4,4,'2026-11-30 14:11:31');
INSERT INTO "trial_heartbeats" VALUES(5,5,'2026-11-30 14:11:32');
CREATE TABLE trial_intermediate_values (
	trial_intermediate_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	intermediate_value FLOAT, 
	intermediate_value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_intermediate_value_id), 
	UNIQUE (trial_id, step), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_intermediate_values" VALUES(1,1,1,1.11171686770634070562e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(2,1,2,6.11716867706340816646e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(3,1,3,4.45050201039674075964e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(4,2,1,1.24113254787614879504e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(5,2,2,7.41132547876148906063e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(6,2,3,5.74465881209482165381e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(7,3,1,1.05364722368456220635e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(8,3,2,5.5364722368456231738e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(9,3,3,3.86980557017895576699e-01,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(10,4,1,1.87469836747876117399e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(11,4,2,1.37469836747876117399e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(12,4,3,1.20803170081209443331e+00,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(13,5,1,3.0,'FINITE');
CREATE TABLE trial_params (
	param_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	param_name VARCHAR(512), 
	param_value FLOAT, 
	distribution_json TEXT, 
	PRIMARY KEY (param_id), 
	UNIQUE (trial_id, param_name), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_params" VALUES(1,1,'learning_rate',0.006,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(2,1,'augmentation.slant',0.25,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(3,2,'learning_rate',7.44714490408307245444e-03,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(4,2,'augmentation.slant',2.59262318278913328484e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(5,3,'learning_rate',1.26355981373816612239e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(6,3,'augmentation.slant',7.08147822618104827441e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(7,4,'learning_rate',8.59131569873348849286e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(8,4,'augmentation.slant',5.47232249175722329503e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(9,5,'learning_rate',1.37682107728963830893e-03,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(10,5,'augmentation.slant',9.82142447511738625465e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}');
INSERT INTO "trial_params" VALUES(11,6,'learning_rate',1.37682107728963830893e-03,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.001, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(12,6,'augmentation.slant',9.82142447511738625465e-01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}');
CREATE TABLE trial_system_attributes (
	trial_system_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_system_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_system_attributes" VALUES(1,1,'fixed_params','{"learning_rate": 0.006, "augmentation.slant": 0.25}');
INSERT INTO "trial_system_attributes" VALUES(2,5,'tpe:relative_params:0','"{\"augmentation.slant\": 0.9821424475117386, \"learning_rate\": 0.0013768210772896383}"');
INSERT INTO "trial_system_attributes" VALUES(3,6,'failed_trial','4');
INSERT INTO "trial_system_attributes" VALUES(4,6,'retry_history','[4]');
INSERT INTO "trial_system_attributes" VALUES(5,6,'tpe:relative_params:0','"{\"augmentation.slant\": 0.9821424475117386, \"learning_rate\": 0.0013768210772896383}"');
CREATE TABLE trial_user_attributes (
	trial_user_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_user_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_user_attributes" VALUES(1,1,'run','""');
INSERT INTO "trial_user_attributes" VALUES(2,2,'run','""');
INSERT INTO "trial_user_attributes" VALUES(3,3,'run','""');
INSERT INTO "trial_user_attributes" VALUES(4,4,'run','""');
INSERT INTO "trial_user_attributes" VALUES(5,5,'run','""');
INSERT INTO "trial_user_attributes" VALUES(6,6,'run','""');
CREATE TABLE trial_values (
	trial_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	value FLOAT, 
	value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_value_id), 
	UNIQUE (trial_id, objective), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_values" VALUES(1,1,0,4.45050201039674075964e-01,'FINITE');
INSERT INTO "trial_values" VALUES(2,2,0,5.74465881209482165381e-01,'FINITE');
INSERT INTO "trial_values" VALUES(3,3,0,3.86980557017895576699e-01,'FINITE');
INSERT INTO "trial_values" VALUES(4,4,0,1.20803170081209443331e+00,'FINITE');
CREATE TABLE trials (
	trial_id INTEGER NOT NULL, 
	number INTEGER, 
	study_id INTEGER, 
	state VARCHAR(8) NOT NULL, 
	datetime_start DATETIME, 
	datetime_complete DATETIME, 
	PRIMARY KEY (trial_id), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "trials" VALUES(1,0,1,'COMPLETE','2026-11-30 14:11:29.438285','2026-11-30 14:11:29.969567');
INSERT INTO "trials" VALUES(2,1,1,'COMPLETE','2026-11-30 14:11:30.119104','2026-11-30 14:11:30.593492');
INSERT INTO "trials" VALUES(3,2,1,'COMPLETE','2026-11-30 14:11:30.743581','2026-11-30 14:11:31.223295');
INSERT INTO "trials" VALUES(4,3,1,'COMPLETE','2026-11-30 14:11:31.367117','2026-11-30 14:11:31.856183');
INSERT INTO "trials" VALUES(5,4,1,'FAIL','2026-11-30 14:11:32.424044','2026-11-30 14:11:32.924009');
INSERT INTO "trials" VALUES(6,5,1,'WAITING',NULL,NULL);
CREATE TABLE version_info (
	version_info_id INTEGER NOT NULL, 
	schema_version INTEGER, 
	library_version VARCHAR(256), 
	PRIMARY KEY (version_info_id), 
	CHECK (version_info_id=1)
);
INSERT INTO "version_info" VALUES(1,12,'5.0.0');
CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);
CREATE INDEX ix_trials_study_id ON trials (study_id);
COMMIT;
